"""Pieces of HTML, and the component that shows them and reports what a person does in them.

Invariant: text from people or models reaches a page only through `text`, which escapes it.
A button, select, tick box, text field or editable cell that carries ``data-do`` raises the
component's ``act`` event with all of its ``data-`` values; `detail` reads them.
"""

from html import escape
from typing import Any

import gradio as gr

__all__ = [
    "button",
    "command",
    "detail",
    "heading",
    "live_html",
    "options",
    "page_buttons",
    "page_range",
    "pill",
    "still_html",
    "text",
]

# Runs once for each component. `element` stays when the value changes, its children do not.
_SCRIPT = """
const act = (source, more) => trigger('act', {...source.dataset, ...more});
// What is drawn anew loses the keyboard's focus: its successor gets it, unless the mouse is used.
let focused = null;
const sign = source => source.tagName + JSON.stringify({...source.dataset});
element.addEventListener('focusin', event => {
  const source = event.target.closest('[data-do]:not([contenteditable])');
  focused = source && sign(source);
});
element.addEventListener('focusout', event => { if (event.relatedTarget) focused = null; });
addEventListener('pointerdown', () => { focused = null; }, true);
element.addEventListener('click', event => {
  const source = event.target.closest('button[data-do]');
  if (!source || (source.dataset.confirm && !window.confirm(source.dataset.confirm))) return;
  act(source, {many: event.shiftKey || event.ctrlKey || event.metaKey});
});
element.addEventListener('change', event => {
  const source = event.target.closest('select[data-do], input[data-do]:not([type=text])');
  if (source) act(source, {value: source.type === 'checkbox' ? source.checked : source.value});
  if (source?.tagName === 'SELECT') setTimeout(() => goBack(source), 3000);
});
// A choice that was not kept, because it was refused or another one came at once.
const goBack = select => {
  const kept = [...select.options].find(option => option.defaultSelected);
  if (kept && select.isConnected) kept.selected = true;
};
// Fields that are typed in: kept when they are left or by Enter, taken back by Escape. What is
// typed outlives a drawing of the place, and an error; only what was kept elsewhere replaces it.
const FIELD = '[contenteditable][data-do], textarea[data-do], input[type=text][data-do]';
const read = field => field.isContentEditable ? field.innerText : field.value;
const write = (field, value) => {
  if (field.isContentEditable) field.innerText = value;
  else field.value = value;
};
// What the session has: a drawing may leave the element, and with it what is typed, as it is.
const stored = field => field.isContentEditable
  ? field.getAttribute('kept') ?? field.innerText : field.defaultValue;
const plain = value => value.split('\\n')
  .map(line => line.trim().split(/\\s+/).join(' ')).filter(Boolean).join('\\n');
const typed = new Map();
let active = null;
element.addEventListener('focusin', event => {
  const field = event.target.closest(FIELD);
  active = field && sign(field);
  if (field && !typed.has(active)) typed.set(active, {was: stored(field), sent: false});
});
element.addEventListener('input', event => {
  const field = event.target.closest(FIELD);
  const entry = field && typed.get(sign(field));
  if (entry) { entry.value = read(field); entry.sent = false; }
});
element.addEventListener('focusout', event => {
  const field = event.target.closest(FIELD);
  const entry = field && typed.get(sign(field));
  if (!entry || !field.isConnected) return;
  active = null;
  if (plain(read(field)) === plain(entry.was)) typed.delete(sign(field));
  else if (!entry.sent) {
    entry.value = read(field);
    entry.sent = true;
    act(field, {value: entry.value});
  }
});
element.addEventListener('keydown', event => {
  const field = event.target.closest(FIELD);
  if (!field) return;
  const enter = event.key === 'Enter' && !event.isComposing
    && (field.tagName !== 'TEXTAREA' || event.ctrlKey || event.metaKey);
  if (!enter && event.key !== 'Escape') return;
  event.preventDefault();
  if (enter && typed.has(sign(field))) typed.get(sign(field)).sent = false;
  if (event.key === 'Escape') write(field, typed.get(sign(field))?.was ?? read(field));
  field.blur();
});
const putBack = () => {
  const fields = new Map([...element.querySelectorAll(FIELD)].map(next => [sign(next), next]));
  for (const [name, entry] of typed) {
    const next = fields.get(name);
    const keptNow = next && entry.sent && plain(stored(next)) !== plain(entry.was);
    if (keptNow) write(next, stored(next));
    if (!next || keptNow) { typed.delete(name); continue; }
    entry.was = stored(next);
    if (entry.value !== undefined) write(next, entry.value);
    if (name === active && document.activeElement === document.body) {
      next.focus();
      if (next.isContentEditable) getSelection().selectAllChildren(next);
      getSelection().collapseToEnd?.();
    }
  }
};
watch('value', () => {
  putBack();
  if (focused && document.activeElement === document.body)
    [...element.querySelectorAll('[data-do]')].find(next => sign(next) === focused)?.focus();
  for (const box of element.querySelectorAll('input[type=checkbox]'))
    box.checked = box.hasAttribute('checked');
  for (const list of element.querySelectorAll('select')) {
    const chosen = list.querySelector('option[selected]');
    if (chosen) list.value = chosen.value;
  }
});
"""


def live_html(*classes: str, name: str | None = None) -> gr.HTML:
    """An empty place for HTML whose controls raise ``act``.

    Args:
        classes: CSS classes of the place.
        name: its id in the page.
    """
    return gr.HTML(
        "",
        js_on_load=_SCRIPT,
        elem_classes=list(classes),
        elem_id=name,
        apply_default_css=False,
    )


def still_html(value: str, script: str | None = None, name: str | None = None) -> gr.HTML:
    """HTML of ours that stays as it is.

    Args:
        value: the HTML.
        script: JavaScript that runs once, with `element` as the place.
        name: its id in the page.
    """
    return gr.HTML(value, js_on_load=script, elem_id=name, apply_default_css=False)


def detail(event: gr.EventData) -> dict[str, Any]:
    """The ``data-`` values of what raised an ``act`` event, with ``value`` or ``many``."""
    return dict(event._data or {})


def text(value: object) -> str:
    """Any text as HTML that shows exactly that text."""
    return escape(str(value), quote=True)


def heading(title: str, sentence: str = "") -> str:
    """A card's question and the grey sentence that says what is shown."""
    below = f'<p class="quiet">{text(sentence)}</p>' if sentence else ""
    return f"<h2>{text(title)}</h2>{below}"


def button(label: str, do: str, kind: str = "", **data: object) -> str:
    """A button that raises ``act``.

    Args:
        label: what it says.
        do: which action; comes back under ``do``.
        kind: extra CSS classes, such as ``primary``.
        data: values that come back with the event, as text.
    """
    values = "".join(f' data-{name}="{text(value)}"' for name, value in data.items())
    return (
        f'<button type="button" class="btn {kind}" data-do="{text(do)}"{values}>'
        f"{text(label)}</button>"
    )


def options(pairs: list[tuple[str, str]], chosen: str) -> str:
    """The options of a select: (value, label) each."""
    return "".join(
        f'<option value="{text(value)}"{" selected" if value == chosen else ""}>'
        f"{text(label)}</option>"
        for value, label in pairs
    )


def page_range(offset: int, shown: int, total: int) -> str:
    """Where a page of a list stands in it, such as ``51–100 of 1,234``.

    Args:
        offset: how many come before the page.
        shown: how many are on it.
        total: how many there are.
    """
    return f"{offset + 1:,}–{offset + shown:,} of {total:,}"


def page_buttons(offset: int, shown: int, total: int, page_size: int, act: str = "page") -> str:
    """Back and Next, as far as there is a page before or behind this one.

    Args:
        offset: how many come before the page.
        shown: how many are on it.
        total: how many there are.
        page_size: most on a page.
        act: what the buttons do; the ``offset`` of the page that is wanted goes with it.
    """
    back = onward = ""
    if offset:
        back = button("Back", act, "small", offset=max(0, offset - page_size))
    if offset + shown < total:
        onward = button("Next", act, "small", offset=offset + page_size)
    return back + onward


def pill(label: str, kind: str = "") -> str:
    """A short state, such as ``running``."""
    return f'<span class="pill {kind}">{text(label)}</span>'


def command(line: str) -> str:
    """A command that a person may copy."""
    return f'<code class="command">{text(line)}</code>'
