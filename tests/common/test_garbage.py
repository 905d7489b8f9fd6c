"""When the interpreter looks for garbage."""

import gc

from apps.common.garbage import seldom_collecting


class TestABlockThatLooksSeldom:
    def test_leaves_out_what_was_there_and_ends_as_it_began(self) -> None:
        usual = gc.get_threshold()
        with seldom_collecting():
            assert gc.get_threshold()[0] > usual[0]
            assert gc.get_freeze_count() > 0

        assert gc.get_threshold() == usual
        assert gc.get_freeze_count() == 0
