// Runs before anything is drawn. Takes the token off the address, where others could read it, and
// says so when the page is shown at another address than the server believes, or when the server
// refuses what the page sends, of which Gradio says nothing.
(() => {
  const query = new URLSearchParams(location.search);
  if (query.has('token')) {
    query.delete('token');
    const rest = query.size ? '?' + query : '';
    history.replaceState(history.state, '', location.pathname + rest + location.hash);
  }
  const send = window.fetch;
  window.fetch = async (...asked) => {
    const answer = await send(...asked);
    if (answer.status === 403 && !document.querySelector('#refused-note')) {
      const note = document.querySelector('#refused').content.cloneNode(true);
      const told = await answer.clone().json().catch(() => ({}));
      if (document.querySelector('#refused-note')) return answer;
      note.querySelector('.why').textContent = told.error ?? 'The workbench refuses this page.';
      note.querySelector('button').addEventListener('click', () => location.reload());
      (document.querySelector('.gradio-container') ?? document.body).append(note);
    }
    return answer;
  };
  const here = new URL('.', location.href);
  const served = new URL(window.gradio_config.root.replace(/\/*$/, '/'), here);
  const same = served.host === here.host
    && decodeURI(served.pathname) === decodeURI(here.pathname);
  if (same) return;
  const show = () => {
    const note = document.querySelector('#misplaced').content.cloneNode(true);
    const words = {
      served: served.href, here: here.origin + here.pathname,
      command: 'workbench serve --root-path ' + here.origin + here.pathname.replace(/\/$/, ''),
    };
    for (const [name, text] of Object.entries(words))
      note.querySelector('.' + name).textContent = text;
    document.body.replaceChildren(note);
  };
  document.addEventListener('DOMContentLoaded', show);
})();
