// The live column of the first page. Everything that comes from an article is
// put in as text, never as HTML.
'use strict';
(() => {
  const maxItems = 50;
  const maxWaiting = 200;

  const list = document.getElementById('live');
  if (!list) return;
  const state = document.getElementById('live-state');
  const pause = document.getElementById('live-pause');

  let waiting = null; // articles that came during a pause, newest last
  let position = list.dataset.position;
  let failures = 0;
  let source = null;

  const tricks = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069\ufeff]/g;
  const shown = (s) => String(s ?? '').replace(tricks, '');

  // direction goes by the script of most letters, like the server's.
  function direction(s) {
    const sample = s.slice(0, 400);
    const right = (sample.match(/[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc]/g) || []).length;
    const left = (sample.match(/\p{L}/gu) || []).length - right;
    return right > left ? 'rtl' : left > 0 ? 'ltr' : 'auto';
  }

  function element(name, attributes, ...children) {
    const e = document.createElement(name);
    for (const [k, v] of Object.entries(attributes)) e.setAttribute(k, v);
    e.append(...children); // strings become text nodes
    return e;
  }

  function relative(iso) {
    const seconds = Math.max(0, (Date.now() - Date.parse(iso)) / 1000);
    if (!(seconds >= 0)) return '';
    if (seconds < 10) return 'now';
    if (seconds < 60) return Math.floor(seconds) + ' s ago';
    if (seconds < 3600) return Math.floor(seconds / 60) + ' min ago';
    if (seconds < 86400) return Math.floor(seconds / 3600) + ' h ago';
    return Math.floor(seconds / 86400) + ' d ago';
  }

  function filterLink(name, value) {
    const u = new URL(location.href);
    u.searchParams.delete('cursor');
    if (!u.searchParams.getAll(name).includes(value)) u.searchParams.append(name, value);
    return u.pathname + u.search;
  }

  function item(a) {
    const title = shown(a.title) || '(no title)';
    const li = element('li', { class: 'item fresh', 'data-id': a.id, 'data-revision': a.revision, lang: a.language === 'und' ? '' : a.language || '' });
    const link = element('a', { href: '/articles/' + encodeURIComponent(a.id) }, title.slice(0, 400));
    const iso = shown(a.received);
    const time = element('time', { datetime: iso, title: iso }, relative(iso));
    const src = a.source || {};
    const chips = element('ul', { class: 'chips', lang: 'en' });
    for (const t of (a.topics || []).slice(0, 2)) {
      chips.append(element('li', {}, element('a', { class: 'chip topic', href: filterLink('topic', t.id) }, element('bdi', {}, shown(t.name)))));
    }
    const entities = [...(a.entities || [])].sort((x, y) => y.salience - x.salience).slice(0, 4);
    for (const e of entities) {
      const name = (e.labels && e.labels.en) || e.name;
      chips.append(element('li', {}, element('a', { class: 'chip', href: filterLink('entity', e.id) }, element('bdi', {}, shown(name)))));
    }
    const meta = element('p', { class: 'meta', lang: 'en' }, element('bdi', {}, shown(src.name || src.id)), time);
    if (a.revision > 1) meta.append(element('span', {}, 'revision ' + a.revision));
    li.append(element('h2', { dir: direction(title) }, link), meta);
    if (chips.childElementCount) li.append(chips);
    return li;
  }

  const withId = (root, id) => [...root.querySelectorAll('[data-id]')].filter((e) => e.dataset.id === id);

  function show(a) {
    for (const old of withId(list, a.id)) {
      if (Number(old.dataset.revision) > a.revision) return;
      old.remove();
    }
    list.prepend(item(a));
    while (list.childElementCount > maxItems) list.lastElementChild.remove();
  }

  function retract(id) {
    if (waiting) waiting = waiting.filter((a) => a.id !== id);
    for (const e of withId(document, id)) e.remove();
  }

  function say(text) {
    if (state.textContent !== text) state.textContent = text;
  }

  function told() {
    if (!waiting) say('connected');
    else say(waiting.length ? 'paused, ' + waiting.length + ' waiting' : 'paused');
  }

  const read = (handle) => (e) => {
    if (e.lastEventId) position = e.lastEventId;
    let data;
    try { data = JSON.parse(e.data); } catch { return; }
    handle(data);
  };

  function connect() {
    const u = new URL(list.dataset.stream, location.href);
    if (position) u.searchParams.set('last_event_id', position);
    source = new EventSource(u);
    source.onopen = () => { failures = 0; told(); };
    source.addEventListener('article', read((a) => {
      if (!waiting) { show(a); return; }
      waiting.push(a);
      if (waiting.length > maxWaiting) waiting.shift();
      told();
    }));
    source.addEventListener('retract', read((r) => retract(r.id)));
    source.addEventListener('position', read(() => {}));
    source.addEventListener('reset', read(() => { list.replaceChildren(); }));
    source.onerror = () => {
      say('connecting…');
      if (source.readyState !== EventSource.CLOSED) return; // the browser tries again by itself
      failures++;
      if (failures > 1) position = ''; // the server may not know the place: begin now
      setTimeout(connect, Math.min(30000, 2000 * failures));
    };
  }

  pause.hidden = false;
  pause.addEventListener('click', () => {
    if (waiting) {
      const articles = waiting;
      waiting = null;
      articles.forEach(show);
    } else {
      waiting = [];
    }
    pause.setAttribute('aria-pressed', String(waiting !== null));
    pause.textContent = waiting ? 'Resume' : 'Pause';
    told();
  });

  setInterval(() => {
    for (const t of list.querySelectorAll('time')) {
      const text = relative(t.dateTime);
      if (t.textContent !== text) t.textContent = text;
    }
  }, 10000);

  addEventListener('pagehide', () => { if (source) source.close(); });
  addEventListener('pageshow', (e) => { if (e.persisted) connect(); });
  say('connecting…');
  connect();
})();
