// Actions reach the server in the order in which a person did them: each is sent when the one
// before it was answered. Two that are sent at once may arrive in either order, and the older
// choice would win.
(() => {
  const PATIENCE = 5000;  // milliseconds; an action that hangs must not hold up all others
  const send = window.fetch;
  const isAction = body => {
    if (typeof body !== 'string' || !body.startsWith('{')) return false;
    const asked = JSON.parse(body).fn_index;
    return window.gradio_config.dependencies
      .some(event => event.id === asked && event.trigger_mode === 'multiple');
  };
  let before = Promise.resolve();
  window.fetch = (to, options) => {
    if (!String(to).includes('/run/') || !isAction(options?.body)) return send(to, options);
    const answer = before.then(() => send(to, options));
    before = Promise.race([answer.catch(() => {}), new Promise(done => setTimeout(done, PATIENCE))]);
    return answer;
  };
})();
