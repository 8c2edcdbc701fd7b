"""The help panel: the keys, what each tab is for, and where the data lies.

A native dialog, opened by every element with ``data-help`` and by the key ``?``. Single keys do
nothing while something is typed or with a modifier, and can be switched off (WCAG 2.1.4); the
switch is kept in the browser.
"""

from pathlib import Path

import gradio as gr

from workbench._version import __version__
from workbench.page.kit.html import still_html, text

__all__ = ["KEYS", "TABS", "add_help"]

TABS = {
    "Facts": "Type, paste or upload what the model should say. A run compiles the ticked facts.",
    "Layers": "Choose the place in the model that is tuned.",
    "Edit": "Set how, press Start, and watch the facts being learned.",
    "Probe": "Ask anything, and read the answers before and after side by side.",
    "Evaluate": "Did it work, where, what did it break; and the paper's experiments.",
    "Runs": "Every run with its measures: choose the one shown, keep it, or delete it.",
}
KEYS = {
    "1 – 6": "the tabs, from left to right",
    "s": "start a run",
    "/": "to the search or the prompt of the tab shown",
    "n": "a new question, on Probe",
    "?": "this panel",
    "Esc": "closes it",
}
_SCRIPT = """
const dialog = element.querySelector('dialog');
const keys = dialog.querySelector('#help-keys');
keys.checked = localStorage.getItem('workbench-keys') !== 'off';
keys.addEventListener('change', () =>
  localStorage.setItem('workbench-keys', keys.checked ? 'on' : 'off'));
document.addEventListener('click', event => {
  if (event.target.closest('[data-help]')) dialog.showModal();
  else if (event.target === dialog) dialog.close();
});
const tabs = () => [...document.querySelectorAll('#tabs [role=tab][data-tab-id]')];
const open = tab => tabs().find(other => other.dataset.tabId === tab)?.click();
const isOpen = tab => tabs().find(other => other.dataset.tabId === tab)?.ariaSelected === 'true';
const visible = selector => [...document.querySelectorAll(selector)]
  .find(found => found.checkVisibility());
// What a tab holds may be drawn a moment after the tab is chosen.
const soon = (find, then, tries = 40) => {
  const found = find();
  if (found) then(found);
  else if (tries) setTimeout(() => soon(find, then, tries - 1), 25);
};
const FIELDS = '#search :is(input, textarea), #prompt :is(input, textarea)';
const actions = {
  s: () => { open('edit'); soon(() => visible('#start:not([disabled])'), start => start.click()); },
  '/': () => visible(FIELDS)?.focus(),
  n: () => {
    const prompt = isOpen('probe') && visible('#prompt :is(input, textarea)');
    if (!prompt) return;
    prompt.value = '';
    prompt.dispatchEvent(new Event('input', {bubbles: true}));
    prompt.focus();
  },
  '?': () => dialog.showModal(),
};
for (const number of [1, 2, 3, 4, 5, 6])
  actions[number] = () => tabs()[number - 1]?.click();
const TYPED = 'textarea, select, [contenteditable], input:not([type=checkbox]):not([type=radio])';
document.addEventListener('keydown', event => {
  if (!keys.checked || dialog.open || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.repeat || event.isComposing || event.target.closest?.(TYPED)) return;
  const action = actions[event.key];
  if (!action) return;
  event.preventDefault();
  action();
});
"""


def add_help(sessions: Path) -> gr.HTML:
    """Builds the panel, which is closed at first.

    Args:
        sessions: the folder of the sessions.
    """
    return still_html(_panel(sessions), _SCRIPT, name="help-place")


def _panel(sessions: Path) -> str:
    keys = "".join(f"<dt><kbd>{text(key)}</kbd></dt><dd>{text(KEYS[key])}</dd>" for key in KEYS)
    tabs = "".join(f"<dt>{text(tab)}</dt><dd>{text(TABS[tab])}</dd>" for tab in TABS)
    return (
        '<dialog id="help" aria-labelledby="help-title"><div class="stack">'
        '<h2 id="help-title">How does it work?</h2>'
        f'<dl class="help-list">{tabs}</dl><h2>Keys</h2>'
        f'<dl class="help-list">{keys}</dl>'
        '<label class="pair"><input type="checkbox" id="help-keys"> Use single keys</label>'
        "<h2>Where does everything lie?</h2>"
        f'<p class="quiet">Each session is a folder in <span class="mono">{text(sessions)}</span>. '
        "Nothing leaves this machine, unless you ask for a model of the hub.</p>"
        f'<p class="quiet">LocFT Workbench {text(__version__)}</p>'
        '<form method="dialog"><button class="btn primary" autofocus>Close</button></form>'
        "</div></dialog>"
    )
