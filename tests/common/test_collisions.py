"""Which errors of PostgreSQL mean that somebody else was faster."""

import threading

import pytest
from django.db import DatabaseError, connection, connections, transaction

from apps.accounts.access import access_of_account
from apps.campaigns.models import Attachment
from apps.common.collisions import is_collision
from apps.common.ids import new_id
from apps.common.tenancy import tenant_scope
from tests.builders import World
from tests.factories import GroupFactory


@pytest.mark.django_db
class TestACollision:
    def test_is_a_row_that_points_at_what_is_gone(
        self, world: World, caplog: pytest.LogCaptureFixture
    ) -> None:
        with pytest.raises(DatabaseError) as raised, tenant_scope(access_of_account(world.account)):
            Attachment.objects.create(account=world.account, webhook_id=new_id())
        assert is_collision(raised.value)
        assert "campaigns_attachment" in caplog.text

    def test_is_a_row_that_is_gone_itself(self) -> None:
        group = GroupFactory()
        type(group).objects.all().delete()
        with pytest.raises(DatabaseError) as raised:
            group.save(update_fields=["name"])
        assert is_collision(raised.value)

    @pytest.mark.parametrize("statement", ["DELETE FROM common_auditentry", "SELECT 1 / 0"])
    def test_is_no_fault_of_ours(self, world: World, statement: str) -> None:
        with (
            pytest.raises(DatabaseError) as raised,
            tenant_scope(access_of_account(world.account)),
            connection.cursor() as cursor,
        ):
            cursor.execute(statement)
        assert not is_collision(raised.value)


@pytest.mark.django_db(transaction=True)
def test_two_who_wait_for_each_other_collide() -> None:
    groups = GroupFactory.create_batch(2)
    meeting, errors = threading.Barrier(2), []

    def rename(first: int, second: int) -> None:
        try:
            with transaction.atomic():
                type(groups[0]).objects.filter(pk=groups[first].pk).update(name="A")
                meeting.wait(60)
                type(groups[0]).objects.filter(pk=groups[second].pk).update(name="B")
        except DatabaseError as error:
            errors.append(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=rename, args=order) for order in ((0, 1), (1, 0))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert [is_collision(error) for error in errors] == [True]
