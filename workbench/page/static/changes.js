// Asks for a drawing when the server says that something on the page has changed.
// `props.value` is what the page shows: the session, the library's state, the session's state.
// A browser opens six connections to a host at most, so one tab of it holds the stream of changes
// and hands what it hears to the others. Tabs that are hidden neither hold it nor draw.
const NAME = 'workbench-changes';
const SILENCE = 40000;  // milliseconds; the server beats more often, so the connection is lost
const RETRY = 1000;
const channel = 'BroadcastChannel' in window ? new BroadcastChannel(NAME) : null;
let states = null;  // by session, the library's under ''; null until they are known

const look = () => {
  if (!states || !props.value || document.hidden) return;
  const session = props.value.split(' ')[0];
  const now = [session, states[''], states[session] ?? ''].join(' ');
  if (now !== props.value) trigger('input');
};
const hear = (told, whole) => {
  if (!whole && !states) return;
  states = whole ? told : {...states, ...told};
  look();
};

// A server of another edition hears other events than this page sends.
let edition = null;
const meet = other => {
  if (edition && other && other !== edition) location.reload();
  edition ??= other;
};
// While the server is away nothing can be done here, which is said once it lasts.
const PATIENCE = 4000;
let missing = 0;
const miss = () => {
  missing ||= setTimeout(() => {
    if (document.querySelector('#away-note')) return;
    const note = document.querySelector('#away').content.cloneNode(true);
    (document.querySelector('.gradio-container') ?? document.body).append(note);
  }, PATIENCE);
};
const found = () => {
  clearTimeout(missing);
  missing = 0;
  document.querySelector('#away-note')?.remove();
};

let source = null;
let later = 0;
const open = () => {
  close();
  source = new EventSource('changes');
  const tell = whole => event => {
    wait();
    found();
    const told = JSON.parse(event.data);
    channel?.postMessage({told, whole});
    hear(told, whole);
  };
  source.addEventListener('edition', event => {
    const other = JSON.parse(event.data);
    channel?.postMessage({edition: other});
    meet(other);
  });
  source.addEventListener('all', tell(true));
  source.addEventListener('some', tell(false));
  source.addEventListener('beat', () => { wait(); found(); });
  // A browser comes back by itself when a connection breaks, not when it was answered otherwise.
  // Why it was, a stream does not tell; a request does, if the page was refused.
  source.onerror = () => {
    miss();
    if (source?.readyState !== EventSource.CLOSED) return;
    fetch('changes', {method: 'HEAD'}).catch(() => {});
    wait(RETRY);
  };
  wait();
};
const wait = (time = SILENCE) => {
  clearTimeout(later);
  later = setTimeout(open, time);
};
const close = () => {
  clearTimeout(later);
  source?.close();
  source = null;
};

let leave = null;
const enter = () => {
  // Without a secure address there are no locks; then each tab has a stream of its own.
  if (!navigator.locks || !channel) {
    open();
    return close;
  }
  const wish = new AbortController();
  let release = () => {};
  const hold = () => new Promise(done => {
    if (wish.signal.aborted) return done();
    release = done;
    open();
  });
  navigator.locks.request(NAME, {signal: wish.signal}, hold)
    .catch(() => { if (!wish.signal.aborted) open(); });
  channel.postMessage({ask: true});
  return () => {
    wish.abort();
    close();
    release();
  };
};
const follow = () => {
  if (document.hidden) {
    leave?.();
    leave = null;
    found();
  } else {
    leave ??= enter();
  }
};
channel?.addEventListener('message', ({data}) => {
  if (data.edition) return meet(data.edition);
  if (!data.ask) hear(data.told, data.whole);
  else if (source && states) {
    channel.postMessage({edition});
    channel.postMessage({told: states, whole: true});
  }
});
document.addEventListener('visibilitychange', follow);
follow();

// What changed while something was drawn may have been heard before that drawing was there. The
// drawing may also be newer than what was heard, which then comes soon.
let again = 0;
watch('value', () => {
  clearTimeout(again);
  again = setTimeout(look, 1000);
});
