"""Actions of one session are done one after the other, as they were asked for."""

import asyncio
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import gradio as gr
from playwright.sync_api import expect

from tests.page.conftest import Open
from workbench.facts import guess_columns
from workbench.page.kit.page import Page
from workbench.store import Library, Store


def test_the_second_of_two_clicks_sees_what_the_first_did(library: Library, store: Store) -> None:
    begun = threading.Event()

    def add_one(store: Store) -> None:
        count = store.settings.get("clicks", 0)
        begun.set()
        time.sleep(0.1)
        store.settings.set("clicks", count + 1)

    found: list[Any] = []

    async def build() -> None:
        with gr.Blocks():
            page = Page(library, gr.Textbox(), gr.HTML(), gr.Textbox())
            page.action(lambda act, *rest, **more: found.append(act), add_one)

    with ThreadPoolExecutor(1) as other:  # a browser's loop may run in this thread
        other.submit(asyncio.run, build()).result()
    clicks = [threading.Thread(target=found[0], args=(store.id,)) for _ in range(2)]
    clicks[0].start()
    assert begun.wait(10)
    clicks[1].start()
    for click in clicks:
        click.join()
    assert store.settings.get("clicks") == 2


# The first request that chooses a column is held back, as a busy connection may hold it.
FIRST_IS_LATE = """
const send = window.fetch;
let held = false;
window.fetch = async (to, options) => {
  if (!held && String(options?.body).includes('assign')) {
    held = true;
    await new Promise(done => setTimeout(done, 500));
  }
  return send(to, options);
};
"""
TWO_AT_ONCE = """
dialog => {
  for (const name of ['ground_truth', 'target_new']) {
    const list = dialog.querySelector(`[data-field=${name}]`);
    list.value = 'answer';
    list.dispatchEvent(new Event('change', {bubbles: true}));
  }
}
"""


def test_the_later_of_two_choices_wins_also_when_the_first_is_held_up(
    open_page: Open, store: Store, tmp_path: Path
) -> None:
    file = tmp_path / "facts.csv"
    file.write_text("asked,answer\nThe capital of France is,Lyon\n", encoding="utf-8")
    store.uploads.add(file.name, str(file), guess_columns(file))
    page = open_page(fresh=True)
    page.add_init_script(FIRST_IS_LATE)
    page.reload()
    dialog = page.get_by_role("group", name="Columns of facts.csv")
    dialog.evaluate(TWO_AT_ONCE)
    expect(dialog.get_by_label("Old answer")).to_have_value("")
    expect(dialog.get_by_label("New answer")).to_have_value("answer")
    chosen = store.uploads.all()[0].fields
    assert (chosen["target_new"], chosen["ground_truth"]) == ("answer", "")
