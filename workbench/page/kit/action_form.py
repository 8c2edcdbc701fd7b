"""The form of an action of the table: what is typed is how the session does it next."""

from collections.abc import Callable, Iterable

from workbench.actions import settings_class
from workbench.methods.base import LOCFT_BF
from workbench.page.kit.form import Form, add_form
from workbench.page.kit.page import Page
from workbench.store import Store
from workbench.work.settings import SettingsRecord

__all__ = ["add_action_form"]


def add_action_form(
    page: Page,
    action: str,
    *,
    method: str = LOCFT_BF.key,
    automatic: Callable[[Store], SettingsRecord | None] = lambda store: None,
    leave_out: Iterable[str] = (),
    of: tuple[str, ...] = ("settings",),
) -> Form[SettingsRecord]:
    """Builds the fields inside the current column.

    Args:
        page: the page.
        action: its name in the table.
        method: of ``edit``.
        automatic: what a session takes for empty fields; None while that is not known.
        leave_out: names of settings whose place is elsewhere.
        of: the tables that `automatic` depends on, as for `Page.show`.
    """

    def read(store: Store) -> SettingsRecord:
        found: SettingsRecord = store.settings.of(action, method)
        return found

    def change(store: Store, to: Callable[[SettingsRecord], SettingsRecord]) -> None:
        store.settings.change(action, to, method)

    return add_form(
        page,
        settings_class(action, method),
        read,
        change,
        automatic=automatic,
        leave_out=leave_out,
        of=of,
    )
