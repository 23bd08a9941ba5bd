'use strict';
(function () {
  const story = JSON.parse(document.getElementById('data').textContent);
  const events = story.events;
  const ROW = 40;
  const LANE = Math.max(78, Math.min(120, 640 / Math.max(1, story.lanes.length)));

  // ---- small helpers; text goes in as text, never as markup ----

  const byId = id => document.getElementById(id);
  function element(name, attributes, ...children) {
    const made = document.createElement(name);
    for (const [key, value] of Object.entries(attributes || {})) made.setAttribute(key, value);
    made.append(...children);
    return made;
  }
  function shape(name, attributes, ...children) {
    const made = document.createElementNS('http://www.w3.org/2000/svg', name);
    for (const [key, value] of Object.entries(attributes || {})) made.setAttribute(key, value);
    made.append(...children);
    return made;
  }

  const vmOf = lane => lane.split('/')[0];
  // A lane that was not named beforehand still gets its place, and those of one VM stand together, or its cut would have gaps.
  const named = [...new Set([...story.lanes, ...events.map(event => event.lane)])];
  const vms = [...new Set(named.map(vmOf))];
  const lanes = vms.flatMap(vm => named.filter(lane => vmOf(lane) === vm));
  const column = new Map(lanes.map((lane, index) => [lane, index]));
  const x = lane => (column.get(lane) + .5) * LANE;
  const y = index => (index + .5) * ROW;

  // ---- how each kind looks ----

  const cross = (cx, cy, r) => shape('path', {class: 'mark cross',
    d: `M${cx - r} ${cy - r}L${cx + r} ${cy + r}M${cx - r} ${cy + r}L${cx + r} ${cy - r}`});
  const polygon = (cx, cy, corners) => shape('polygon', {class: 'mark', fill: 'currentColor',
    points: corners.map(([dx, dy]) => `${cx + dx},${cy + dy}`).join(' ')});
  const disc = (cx, cy, r) => shape('circle', {class: 'mark', fill: 'currentColor', cx, cy, r});
  const ring = (cx, cy, r) => shape('circle', {class: 'mark open', cx, cy, r});
  const square = (cx, cy, r) => polygon(cx, cy, [[-r, -r], [r, -r], [r, r], [-r, r]]);
  const marks = {
    deliver: (cx, cy) => [disc(cx, cy, 4.5)],
    issue: (cx, cy) => [ring(cx, cy, 6)],
    store: (cx, cy) => [polygon(cx, cy, [[-6, -5], [6, -5], [0, 6]])],
    stun: (cx, cy) => [square(cx, cy, 6.5)],
    resume: (cx, cy) => [polygon(cx, cy, [[-5, -6], [7, 0], [-5, 6]])],
    land: (cx, cy) => [disc(cx, cy, 7)],
    complete: (cx, cy) => [disc(cx, cy, 4.5), shape('circle', {class: 'mark halo', cx, cy, r: 8})],
    copy: (cx, cy) => [polygon(cx, cy, [[0, -8], [8, 0], [0, 8], [-8, 0]])],
    reissue: (cx, cy) => [polygon(cx, cy, [[-8, 5], [0, -8], [8, 5]])],
    fault: (cx, cy) => [cross(cx, cy, 5)],
    crash: (cx, cy) => [cross(cx, cy, 7)],
    violation: (cx, cy) => [disc(cx, cy, 9), shape('circle', {class: 'mark halo', cx, cy, r: 13})],
    save: (cx, cy) => [square(cx, cy, 5)],
    seal: (cx, cy) => [square(cx, cy, 7.5), shape('path', {class: 'mark', fill: 'none', d: `M${cx - 4} ${cy}L${cx - 1} ${cy + 3.5}L${cx + 4.5} ${cy - 4}`})],
    abort: (cx, cy) => [ring(cx, cy, 8), cross(cx, cy, 3)],
    commit: (cx, cy) => [polygon(cx, cy, [[-7, -6], [7, -6], [7, 1], [0, 8], [-7, 1]])],
    timer: (cx, cy) => [ring(cx, cy, 7), shape('path', {class: 'mark halo', d: `M${cx} ${cy - 4}V${cy}H${cx + 3}`})],
    recover: (cx, cy) => [ring(cx, cy, 7), disc(cx, cy, 4)]
  };
  function mark(kind, cx, cy) {
    return shape('g', {class: 'k-' + kind}, ...(marks[kind] || marks.deliver)(cx, cy));
  }
  const words = {
    deliver: 'message handled', issue: 'guest issues a request', store: 'guest stores to memory', stun: 'cut of a checkpoint',
    resume: 'guest runs again', land: 'bytes landed', copy: 'copied for a first write', reissue: 'bytes paid to a copy',
    complete: 'completion delivered', fault: 'storage fails', save: 'saved', seal: 'sealed', abort: 'aborted',
    commit: 'overlay committed', timer: 'time is up', crash: 'crash', recover: 'recovery', violation: 'a rule is broken'
  };

  // ---- the picture, drawn once ----

  function head() {
    document.title = 'Tintype: ' + story.headline;
    byId('headline').textContent = story.headline;
    byId('source').textContent = story.source;
    byId('settings').textContent = story.settingsInShort;
    if (story.settings.some(setting => !story.settingsInShort.includes(setting.value))) {
      byId('more').append(element('dl', {}, ...story.settings.flatMap(setting =>
        [element('dt', {}, setting.name), element('dd', {}, setting.value)])));
      byId('more').hidden = false;
    }
    byId('command').textContent = story.command;
    for (const lane of lanes) {
      const slash = lane.indexOf('/');
      const name = element('div', {title: lane, style: `width:${LANE}px`});
      if (slash >= 0) name.append(element('small', {}, lane.slice(0, slash)));
      name.append(lane.slice(slash + 1));
      byId('lane-names').append(name);
    }
  }

  // An instant of a VM is one cut, though each of its actors may take part with a step of its own.
  function cuts() {
    const found = [];
    const open = new Map();
    events.forEach((event, index) => {
      const cut = open.get(event.vm);
      if (event.kind === 'stun') {
        if (cut && !cut.at.has(event.lane)) {
          cut.at.set(event.lane, index);
        } else {
          const made = {vm: event.vm, first: index, at: new Map([[event.lane, index]])};
          open.set(event.vm, made);
          found.push(made);
        }
      } else if (event.kind === 'resume') {
        open.delete(event.vm);
      }
    });
    return found;
  }

  function drawCut(cut) {
    const through = lanes.filter(lane => vmOf(lane) === cut.vm);
    const height = lane => y(cut.at.has(lane) ? cut.at.get(lane) : cut.first);
    // In steps, so that it cannot be taken for a message.
    let path = '';
    through.forEach((lane, index) => {
      const left = column.get(lane) * LANE;
      path += index > 0 ? `V${height(lane)}` : `M${left + 4} ${height(lane)}`;
      path += `H${left + LANE - (index === through.length - 1 ? 4 : 0)}`;
    });
    return [
      shape('path', {class: 'cut-band', d: path}),
      shape('path', {class: 'cut', d: path}),
      shape('text', {class: 'cut-name', x: x(through[0]) - LANE / 2 + 5, y: height(through[0]) - 9}, 'cut')
    ];
  }

  const drawn = {rows: [], arrows: [], items: []};

  function arrow(event, index) {
    const from = events[event.cause];
    if (!from || event.cause >= index) return null;
    const [x1, y1, x2, y2] = [x(from.lane), y(event.cause), x(event.lane), y(index)];
    if (x1 === x2) {
      // What an actor tells itself, or what follows from an earlier step of its own.
      const bow = x1 + Math.min(LANE * .36, 14 + (index - event.cause) * 2);
      return shape('path', {class: 'message own', 'marker-end': 'url(#head)',
        d: `M${x1 + 6} ${y1 + 4}C${bow} ${y1 + 12} ${bow} ${y2 - 12} ${x2 + 9} ${y2 - 5}`});
    }
    const length = Math.hypot(x2 - x1, y2 - y1);
    const [dx, dy] = [(x2 - x1) / length, (y2 - y1) / length];
    return shape('path', {class: 'message', 'marker-end': 'url(#head)',
      d: `M${x1 + dx * 7} ${y1 + dy * 7}L${x2 - dx * 11} ${y2 - dy * 11}`});
  }

  function draw() {
    const width = Math.max(1, lanes.length) * LANE;
    const height = Math.max(1, events.length) * ROW;
    const svg = shape('svg', {width, height, viewBox: `0 0 ${width} ${height}`, role: 'img', 'aria-label': 'Space-time diagram'},
      shape('defs', {}, shape('marker', {id: 'head', viewBox: '0 0 8 8', refX: 7, refY: 4, markerWidth: 8, markerHeight: 8,
        markerUnits: 'userSpaceOnUse', orient: 'auto'}, shape('path', {class: 'head', d: 'M0 0L8 4L0 8Z'}))));
    const rows = shape('g'), lines = shape('g'), arrows = shape('g'), points = shape('g'), cutLines = shape('g');
    events.forEach((event, index) => {
      const row = shape('rect', {class: 'row', x: 0, y: index * ROW, width, height: ROW});
      row.addEventListener('click', () => go(index));
      drawn.rows.push(row);
      rows.append(row);
      lines.append(shape('line', {class: 'rule', x1: 0, x2: width, y1: (index + 1) * ROW - .5, y2: (index + 1) * ROW - .5}));
      const made = arrow(event, index);
      drawn.arrows.push(made);
      if (made) arrows.append(made);
      points.append(mark(event.kind, x(event.lane), y(index)));

      const item = element('li', {class: 'k-item', style: `height:${ROW}px`, title: event.name},
        element('span', {}, String(index + 1)),
        element('span', {class: 'kind-name k-' + event.kind}, event.kind),
        element('span', {class: 'what'}, event.text.trim() || event.name));
      item.addEventListener('click', () => go(index));
      drawn.items.push(item);
      byId('list').append(item);
    });
    for (const lane of lanes) lines.append(shape('line', {class: 'life', x1: x(lane), x2: x(lane), y1: 0, y2: height}));
    for (const cut of cuts()) cutLines.append(...drawCut(cut));
    svg.append(rows, lines, cutLines, arrows, points);
    byId('diagram').append(svg);

    const kinds = Object.keys(words).filter(kind => events.some(event => event.kind === kind));
    for (const kind of kinds) {
      byId('legend').append(element('span', {}, shape('svg', {width: 28, height: 28, viewBox: '0 0 28 28'}, mark(kind, 14, 14)),
        words[kind]));
    }
  }

  // ---- one step of it ----

  let step = 0;

  /** What each lane knew last, up to and with this step, and what it knew before that. */
  function states(upTo) {
    const known = new Map();
    for (let index = 0; index <= upTo; index++) {
      const event = events[index];
      if (Object.keys(event.state).length > 0) {
        const before = known.get(event.lane);
        known.set(event.lane, {at: index, state: event.state, before: before ? before.state : {}});
      }
    }
    return known;
  }

  function showState() {
    const place = byId('state');
    place.replaceChildren();
    const known = states(step);
    const here = events[step].lane;
    for (const lane of [here, ...lanes.filter(each => each !== here)]) {
      const last = known.get(lane);
      if (!last) continue;
      const list = element('dl', {}, element('b', {}, lane));
      for (const [name, value] of Object.entries(last.state)) {
        const isNew = last.at === step && last.before[name] !== value;
        list.append(element('dt', {}, name), element('dd', isNew ? {class: 'changed'} : {}, value));
      }
      place.append(list);
    }
    if (!place.firstChild) place.append(element('p', {class: 'quiet'}, 'None of the lanes has said anything yet.'));
  }

  function showNow() {
    const event = events[step];
    const parts = [element('b', {class: 'k-' + event.kind}, (step + 1) + ' · ' + event.kind),
      element('span', {class: 'quiet'}, ' at ' + event.lane),
      element('p', {}, event.text.trim() || event.name)];
    if (event.text.trim()) parts.push(element('p', {class: 'quiet'}, element('code', {}, event.name)));
    if (event.cause >= 0) parts.push(element('p', {class: 'quiet'}, 'follows from step ' + (event.cause + 1)));
    byId('now').replaceChildren(...parts);
  }

  /** As high as what is left of the window, so that the page itself need not be scrolled. */
  function fit() {
    const scene = byId('scene');
    const above = scene.getBoundingClientRect().top + window.scrollY;
    const below = byId('legend').offsetHeight + 48;
    scene.style.maxHeight = Math.max(360, window.innerHeight - above - below) + 'px';
  }

  function isInView(item) {
    const scene = byId('scene').getBoundingClientRect();
    const names = byId('lane-names').getBoundingClientRect();
    const box = item.getBoundingClientRect();
    return box.top >= names.bottom && box.bottom <= scene.bottom - ROW / 2;
  }

  function go(index, isStart) {
    if (events.length === 0) return;
    for (const each of [drawn.rows[step], drawn.items[step], drawn.arrows[step]]) if (each) each.classList.remove('now');
    step = Math.max(0, Math.min(events.length - 1, index));
    for (const each of [drawn.rows[step], drawn.items[step], drawn.arrows[step]]) if (each) each.classList.add('now');
    byId('slider').value = step + 1;
    byId('where').textContent = 'step ' + (step + 1) + ' of ' + events.length;
    byId('back').disabled = byId('first').disabled = step === 0;
    byId('forward').disabled = byId('last').disabled = step === events.length - 1;
    byId('later').style.top = (byId('lane-names').offsetHeight + (step + 1) * ROW) + 'px';
    byId('later').style.height = ((events.length - step - 1) * ROW) + 'px';
    byId('later').style.bottom = 'auto';
    const scene = byId('scene');
    if (!isInView(drawn.items[step])) {
      scene.scrollTop = step * ROW - scene.clientHeight / 2 + ROW;
    }
    const middle = x(events[step].lane) + byId('list').offsetWidth;
    const shown = scene.scrollLeft + byId('list').offsetWidth + LANE / 2;
    if (middle < shown || middle > scene.scrollLeft + scene.clientWidth - LANE / 2) {
      scene.scrollLeft = middle - (scene.clientWidth + byId('list').offsetWidth) / 2;
    }
    showNow();
    showState();
    if (!isStart) history.replaceState(null, '', '#' + (step + 1));
  }

  function listen() {
    byId('slider').max = events.length;
    byId('slider').addEventListener('input', event => go(Number(event.target.value) - 1));
    byId('first').addEventListener('click', () => go(0));
    byId('back').addEventListener('click', () => go(step - 1));
    byId('forward').addEventListener('click', () => go(step + 1));
    byId('last').addEventListener('click', () => go(events.length - 1));
    window.addEventListener('resize', fit);
    byId('more').addEventListener('toggle', fit);
    document.addEventListener('keydown', event => {
      if (event.ctrlKey || event.altKey || event.metaKey) return;
      const aim = {ArrowLeft: step - 1, ArrowUp: step - 1, ArrowRight: step + 1, ArrowDown: step + 1,
        PageUp: step - 10, PageDown: step + 10, Home: 0, End: events.length - 1}[event.key];
      if (aim === undefined) return;
      event.preventDefault();
      go(aim);
    });
  }

  head();
  draw();
  fit();
  listen();
  const asked = Number(location.hash.slice(1));
  go(asked >= 1 ? asked - 1 : events.length - 1, true);
})();
