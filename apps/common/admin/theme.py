"""The theme's widgets and bases that rooms use. To the type checker they are Django's own."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from django.contrib.admin import ModelAdmin
    from django.contrib.auth.forms import AuthenticationForm
    from django.forms import CheckboxInput as Switch
    from django.forms import (
        CheckboxSelectMultiple,
        EmailInput,
        NumberInput,
        Select,
        Textarea,
        TextInput,
    )
    from django.forms import Select as SearchableSelect
else:
    from unfold.admin import ModelAdmin
    from unfold.forms import AuthenticationForm
    from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget as CheckboxSelectMultiple
    from unfold.widgets import UnfoldAdminEmailInputWidget as EmailInput
    from unfold.widgets import UnfoldAdminIntegerFieldWidget as NumberInput
    from unfold.widgets import UnfoldAdminSelect2Widget as SearchableSelect
    from unfold.widgets import UnfoldAdminSelectWidget as Select
    from unfold.widgets import UnfoldAdminTextareaWidget as Textarea
    from unfold.widgets import UnfoldAdminTextInputWidget as TextInput
    from unfold.widgets import UnfoldBooleanSwitchWidget as Switch

__all__ = [
    "AuthenticationForm",
    "CheckboxSelectMultiple",
    "EmailInput",
    "ModelAdmin",
    "NumberInput",
    "SearchableSelect",
    "Select",
    "Switch",
    "TextInput",
    "Textarea",
]
