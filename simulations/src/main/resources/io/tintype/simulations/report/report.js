'use strict';
(function () {
  const page = JSON.parse(document.getElementById('data').textContent);
  const run = page.run;
  const FRAME_BYTES = 4096;
  const ROWS_A_PAGE = 25;
  const VIOLATIONS_SHOWN_MAX = 50;

  // ---- figures as people read them ----

  function digits(value) {
    const size = Math.abs(value);
    const text = size >= 99.95 ? Math.round(value).toLocaleString('en')
      : value.toFixed(size >= 9.995 ? 1 : 2);
    return text.indexOf('.') < 0 ? text : text.replace(/\.?0+$/, '');
  }
  const whole = count => Math.round(count).toLocaleString('en');
  function scaled(value, units, step) {
    let unit = 0;
    while (Math.abs(value) >= step && unit < units.length - 1) {
      value /= step;
      unit++;
    }
    return digits(value) + units[unit];
  }
  const bytes = value => scaled(value, [' B', ' KiB', ' MiB', ' GiB', ' TiB', ' PiB'], 1024);
  const count = value => Math.abs(value) < 10000 ? digits(value) : scaled(value, ['', 'k', 'M', 'G', 'T'], 1000);
  const micros = value => value == null ? '–' : scaled(value, [' µs', ' ms', ' s'], 1000);
  const plural = (n, one, many) => whole(n) + ' ' + (n === 1 ? one : many);
  function seconds(value) {
    if (value < 60) return (Math.floor(value * 10) / 10).toFixed(1) + ' s';
    const s = Math.floor(value);
    const two = n => String(n).padStart(2, '0');
    return s < 3600 ? Math.floor(s / 60) + ':' + two(s % 60)
      : Math.floor(s / 3600) + ':' + two(Math.floor(s / 60) % 60) + ':' + two(s % 60);
  }

  // ---- small helpers to make elements; text goes in as text, never as markup ----

  const byId = id => document.getElementById(id);
  function element(name, attributes, ...children) {
    const made = document.createElement(name);
    for (const [key, value] of Object.entries(attributes || {})) {
      if (key === 'class') made.className = value;
      else if (key === 'style') Object.assign(made.style, value);
      else if (key.startsWith('on')) made.addEventListener(key.slice(2), value);
      else made.setAttribute(key, value);
    }
    for (const child of children) made.append(child);
    return made;
  }
  const escaped = text => String(text).replace(/[&<>"]/g, c => ({'&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;'}[c]));
  const empty = words => element('p', {class: 'empty'}, words);
  const facts = pairs => element('dl', {}, ...pairs.flatMap(([name, value]) => [element('dt', {}, name), element('dd', {}, value)]));

  // ---- what came out ----

  function verdict() {
    const all = run.checkpoints;
    const found = Math.max(all.violations, run.violations.length);
    if (found > 0) return [plural(found, 'violation', 'violations') + ' of the ordering rules', 'bad'];
    if (all.sealed === 0) return ['No checkpoint was sealed, so nothing was verified', ''];
    if (all.verified < all.sealed) {
      return ['Nothing was violated in the ' + whole(all.verified) + ' of ' + whole(all.sealed) + ' checkpoints verified', ''];
    }
    return [(all.sealed === 1 ? 'The one sealed checkpoint was' : 'All ' + whole(all.sealed) + ' sealed checkpoints were')
      + ' verified: nothing was violated', 'good'];
  }

  function head() {
    const [words, mood] = verdict();
    byId('verdict').textContent = words;
    byId('verdict').className = mood;
    document.title = 'Tintype: ' + words;
    byId('subtitle').textContent = [
      plural(run.vms, 'VM', 'VMs') + ' ran ' + seconds(run.seconds) + (run.ended === 'interrupted' ? ', until interrupted' : ''),
      'seed ' + page.seed,
      run.startedAt.replace('T', ' ').replace(/(:\d\d)(\.\d+)?Z$/, '$1 UTC'),
      run.versions.os + ', ' + plural(run.versions.cores, 'core', 'cores')
    ].join(' · ');
    const stun = run.stunMicros;
    const speed = run.guest.speedDuringCheckpoint;
    const tiles = [
      ...(stun.count === 0 ? [['0', 'guests were stunned']] : [
        [micros(stun.p50), 'stun, the median; one in a hundred took more than ' + micros(stun.p99)],
        [micros(stun.max), 'the longest stun of ' + whole(stun.count)],
        [digits(run.pendingAtStun.mean || 0),
          'requests in flight at the instant of a checkpoint, on average; at most ' + whole(run.pendingAtStun.max)]
      ]),
      ...(speed == null ? [] : [[digits(speed * 100) + ' %', 'of its own speed a guest kept while it was checkpointed']]),
      [whole(run.checkpoints.sealed), 'checkpoints sealed, ' + whole(run.checkpoints.verified) + ' verified, '
        + whole(run.checkpoints.aborted) + ' aborted'],
      [count(run.io.perSecond) + '/s', 'requests completed, ' + count(run.io.completed) + ' in all']
    ];
    for (const [figure, meaning] of tiles) {
      byId('tiles').append(element('div', {class: 'tile'}, element('b', {}, figure), element('span', {}, meaning)));
    }
  }

  function violations() {
    if (run.violations.length === 0 && run.checkpoints.violations === 0) return;
    byId('violations').hidden = false;
    const list = byId('violation-list');
    for (const each of run.violations.slice(0, VIOLATIONS_SHOWN_MAX)) {
      list.append(element('div', {class: 'violation'},
        element('b', {}, each.rule + ' '),
        each.vm + (each.checkpoint == null ? ' while it ran' : ' checkpoint ' + each.checkpoint) + ', ' + each.where,
        facts([['expected', each.expected], ['found', each.found]])));
    }
    const more = Math.max(run.checkpoints.violations, run.violations.length) - Math.min(run.violations.length, VIOLATIONS_SHOWN_MAX);
    if (more > 0) list.append(element('p', {class: 'quiet'}, 'and ' + whole(more) + ' more'));
  }

  // ---- charts ----

  const drawn = [];
  function colours() {
    const style = getComputedStyle(document.documentElement);
    const of = name => style.getPropertyValue('--' + name).trim();
    return Object.fromEntries(['ink', 'quiet', 'faint', 'grid', 'card', 'read', 'write', 'flush', 'discard', 'zeroes', 'bad', 'good']
      .map(name => [name, of(name)]));
  }

  /** `make` gets the colours and answers ECharts options, or null when there is nothing to show; `none` says so in words. */
  function chart(id, label, none, make) {
    const place = byId(id);
    if (make(colours()) == null) {
      place.replaceWith(empty(none));
      return;
    }
    place.setAttribute('role', 'img');
    place.setAttribute('aria-label', label);
    const instance = {
      draw() {
        if (instance.chart) instance.chart.dispose();
        instance.chart = echarts.init(place, null, {renderer: 'canvas'});
        instance.chart.setOption(make(colours()));
      },
      resize() { instance.chart.resize(); }
    };
    instance.draw();
    drawn.push(instance);
    new ResizeObserver(instance.resize).observe(place);
  }

  function frame(c, options) {
    return Object.assign({
      animation: false,
      textStyle: {fontFamily: getComputedStyle(document.body).fontFamily, color: c.ink},
      grid: {left: 8, right: 20, top: options.legend === false ? 34 : 58, bottom: 26, containLabel: true},
      tooltip: Object.assign({
        trigger: 'axis', confine: true, backgroundColor: c.card, borderColor: c.faint,
        textStyle: {color: c.ink, fontSize: 12}, axisPointer: {lineStyle: {color: c.quiet}, label: {show: false}}
      }, options.tooltip || {}),
      legend: options.legend === false ? undefined
        : {top: 4, right: 4, icon: 'roundRect', itemWidth: 12, itemHeight: 8, textStyle: {color: c.quiet, fontSize: 12}}
    }, options.rest);
  }
  function axis(c, name, format, more) {
    return Object.assign({
      name: name, nameTextStyle: {color: c.quiet, fontSize: 12}, axisLabel: {color: c.quiet, formatter: format, hideOverlap: true},
      axisLine: {lineStyle: {color: c.faint}}, axisTick: {lineStyle: {color: c.faint}}, splitLine: {lineStyle: {color: c.grid}},
      minorSplitLine: {show: false}
    }, more);
  }
  const upAxis = (c, name, format, more) => axis(c, name, format,
    Object.assign({type: 'value', min: 0, nameLocation: 'end', nameGap: 12,
      nameTextStyle: {color: c.quiet, fontSize: 12, align: 'left', padding: [0, 0, 0, -30]},
      axisLine: {show: false}, axisTick: {show: false}}, more));
  const timeAxis = (c, more) => axis(c, 'time since the VMs began to run', value => seconds(value).replace('.0 s', ' s'),
    Object.assign({type: 'value', min: 0, max: run.seconds, nameLocation: 'middle', nameGap: 26, splitLine: {show: false}}, more));

  function line(name, colour, value, more) {
    return Object.assign({
      name: name, type: 'line', showSymbol: run.series.length < 2, symbolSize: 6, color: colour,
      lineStyle: {width: 1.6, color: colour}, emphasis: {disabled: true},
      // A sample tells of the span that ends with it, so it is drawn in the middle of it.
      data: run.series.map(each => [each.atSeconds - each.seconds / 2, value(each)])
    }, more);
  }
  function overTime(c, unit, format, lines, more) {
    if (run.series.length === 0) return null;
    const tip = entries => seconds(entries[0].value[0]) + entries.filter(each => each.seriesType === 'line').map(each =>
      '<br>' + each.marker + escaped(each.seriesName) + ' <b>' + format(each.value[1]) + '</b>').join('');
    return frame(c, {
      legend: lines.length > 1 ? undefined : false,
      tooltip: {formatter: tip},
      rest: Object.assign({xAxis: timeAxis(c), yAxis: upAxis(c, unit, format), series: lines}, more)
    });
  }

  function charts() {
    const NO_SAMPLES = 'The run was too short for a figure over time.';
    const stunned = run.checkpointList.filter(each => each.stunMicros != null);
    const begun = whole(run.checkpoints.begun);

    chart('percentiles', 'Percentiles of the stun', 'No guest was stunned, so there are no percentiles.', c => {
      const points = run.stunPercentiles;
      if (points.length === 0) return null;
      const total = run.stunMicros.count;
      // The usual axis of a percentile plot: each decade is one more nine. The longest of n has no more nines than n can tell.
      const nines = point => Math.min(1 / Math.max(1e-12, 1 - point.percentile / 100), Math.max(2, total));
      const marks = [['p50', 2, run.stunMicros.p50], ['p99', 100, run.stunMicros.p99], ['p99.9', 1000, run.stunMicros.p999]]
        .filter(mark => mark[1] <= total);
      return frame(c, {
        legend: false,
        tooltip: {formatter: entries => {
          const point = points[entries[0].dataIndex];
          return digitsOfPercentile(point.percentile) + ' % of the stuns<br>were at most <b>' + micros(point.micros) + '</b>';
        }},
        rest: {
          xAxis: axis(c, 'percentile', value => value === 1 ? '0 %' : digitsOfPercentile(100 - 100 / value) + ' %',
            {type: 'log', min: 1, max: Math.pow(10, Math.max(1, Math.ceil(Math.log10(total)))), nameLocation: 'middle', nameGap: 26}),
          yAxis: upAxis(c, 'stun, logarithmic', micros, {type: 'log', min: undefined}),
          series: [{
            type: 'line', step: 'start', showSymbol: points.length < 2, color: c.read, lineStyle: {width: 2}, emphasis: {disabled: true},
            areaStyle: {color: c.read, opacity: .08, origin: 'start'},
            data: points.map(point => [nines(point), Math.max(.001, point.micros)]),
            markLine: {
              silent: true, symbol: 'none', animation: false,
              lineStyle: {color: c.quiet, type: 'dashed', width: 1},
              label: {color: c.ink, position: 'insideEndTop', rotate: 0, distance: [4, -16], align: 'left', fontSize: 12},
              data: marks.map(mark => ({xAxis: mark[1], label: {formatter: mark[0] + '  ' + micros(mark[2])}}))
            }
          }]
        }
      });
    });

    chart('stuns', 'The stun of every checkpoint over time', 'No guest was stunned' + (run.checkpoints.begun > 0
      ? ': all ' + begun + ' checkpoints were aborted before their instant.' : ': no checkpoint was begun.'), c => {
      if (stunned.length === 0) return null;
      const dots = (name, colour, which, more) => Object.assign({
        name: name, type: 'scatter', color: colour, symbolSize: stunned.length > 2000 ? 3 : 5, itemStyle: {opacity: stunned.length > 500 ? .5 : .75},
        data: which.map(each => ({value: [each.atSeconds, Math.max(.001, each.stunMicros)], of: each}))
      }, more);
      const series = [
        dots('sealed', c.read, stunned.filter(each => each.state === 'sealed' && each.violations === 0)),
        dots('aborted later', c.zeroes, stunned.filter(each => each.state !== 'sealed' && each.violations === 0), {symbol: 'diamond', symbolSize: 9, itemStyle: {opacity: 1}}),
        dots('violated', c.bad, stunned.filter(each => each.violations > 0), {symbol: 'triangle', symbolSize: 12, itemStyle: {opacity: 1}})
      ].filter(each => each.data.length > 0);
      return frame(c, {
        tooltip: {trigger: 'item', formatter: entry => escaped(entry.data.of.vm) + ' checkpoint ' + entry.data.of.id + ', at '
          + seconds(entry.data.of.atSeconds) + '<br>stun <b>' + micros(entry.data.of.stunMicros) + '</b>, '
          + plural(entry.data.of.pending, 'request', 'requests') + ' in flight'},
        rest: {
          xAxis: timeAxis(c, {max: Math.max(run.seconds, ...lastOf(stunned))}),
          yAxis: upAxis(c, 'stun, logarithmic', micros, {type: 'log', min: undefined}),
          series: series
        }
      });
    });

    byId('speed-lead').textContent = run.stunMicros.count === 0 ? 'No guest was checkpointed.' : run.guest.speedDuringCheckpoint == null
      ? 'There was no time without a checkpoint to compare with.'
      : 'While a checkpoint of it was in progress a guest went on at ' + digits(run.guest.speedDuringCheckpoint * 100)
        + ' % of the speed it had otherwise.';
    chart('speed', 'Guest events per second over time, checkpoints marked', NO_SAMPLES, c => {
      // A rug: one mark for each checkpoint along the bottom, since lines across the chart would hide it when there are many.
      const rug = (name, colour, which) => ({
        name: name, type: 'scatter', color: colour, symbol: 'rect', symbolSize: [1.2, 11], symbolOffset: [0, -5], silent: true,
        itemStyle: {opacity: which.length > 400 ? .35 : .8}, tooltip: {show: false},
        data: which.map(each => [each.atSeconds, 0])
      });
      const sealed = run.checkpointList.filter(each => each.state === 'sealed');
      const aborted = run.checkpointList.filter(each => each.state !== 'sealed');
      return overTime(c, 'events/s, all guests', count, [
        line('stores and requests', c.flush, each => each.guestEventsPerSecond),
        rug('a checkpoint', c.ink, sealed),
        ...(aborted.length > 0 ? [rug('an aborted one', c.bad, aborted)] : [])
      ]);
    });
    chart('io', 'Requests completed per second over time', NO_SAMPLES, c => overTime(c, 'requests/s, all VMs', count,
      [line('completed', c.read, each => each.ioPerSecond, {areaStyle: {color: c.read, opacity: .08}})]));
    chart('faults', 'Copy-on-write faults per second over time',
      run.series.length === 0 ? NO_SAMPLES : 'There was no copy-on-write fault.', c => run.faults.memory + run.faults.disk === 0 ? null
        : overTime(c, 'faults/s', count, [
          line('pages of memory', c.read, each => each.memoryFaultsPerSecond),
          line('block groups of disks', c.write, each => each.diskFaultsPerSecond)]));
    chart('carried', 'Reads reissued and writes delayed per second over time',
      run.series.length === 0 ? NO_SAMPLES : 'No read had to be reissued and no write delayed: no request in flight met a fault.', c =>
        run.reads.reissued + run.writes.delayed === 0 ? null
          : overTime(c, 'requests/s', count, [
            line('reads reissued', c.read, each => each.readsReissuedPerSecond),
            line('writes delayed', c.write, each => each.writesDelayedPerSecond)]));
    chart('store', 'Megabytes per second written to the store', run.series.length === 0 ? NO_SAMPLES : 'Nothing was written to the store.', c =>
      run.store.bytes === 0 ? null : overTime(c, 'MB/s', digits,
        [line('written', c.discard, each => each.storeMegabytesPerSecond, {areaStyle: {color: c.discard, opacity: .1}})]));
    chart('frames', 'Memory held for checkpoints over time',
      run.series.length === 0 ? NO_SAMPLES : 'No memory was held only for a checkpoint.', c =>
        run.memory.framesHeldMax === 0 ? null : overTime(c, 'MiB', digits,
          [line('held', c.zeroes, each => each.framesHeld * FRAME_BYTES / 1048576, {areaStyle: {color: c.zeroes, opacity: .1}})]));
  }
  // Not all at once: a function takes only so many arguments.
  const lastOf = all => all.slice(-1).map(each => each.atSeconds);
  function digitsOfPercentile(value) {
    return value.toFixed(6).replace(/\.?0+$/, '');
  }

  // ---- the story of one cut ----

  const KIND_COLOURS = {read: 'read', write: 'write', flush: 'flush', discard: 'discard', 'write-zeroes': 'zeroes'};
  const kindColour = kind => 'var(--' + (KIND_COLOURS[kind] || 'ink') + ')';

  /** Where an instant lies in a lane, 0 to 1, and which instants have a label. Nanoseconds from T. */
  function timeScale(from, to) {
    const span = to - from;
    const isLinear = -from >= span * .08 && to >= span * .08;
    // Under a tenth of the drawing, one side of T could not be read; then both sides get as much room for each decade.
    const near = 10000;
    const bend = isLinear ? t => t : t => Math.sign(t) * Math.log10(1 + Math.abs(t) / near);
    const low = bend(from);
    const high = bend(to);
    const pad = .02;
    const place = t => pad + (1 - 2 * pad) * (bend(t) - low) / (high - low || 1);
    const ticks = [];
    if (isLinear) {
      const rough = span / 6;
      const decade = Math.pow(10, Math.floor(Math.log10(rough)));
      const step = [1, 2, 2.5, 5, 10].map(m => m * decade).find(s => s >= rough);
      for (let i = Math.ceil(from / step); i * step <= to; i++) ticks.push(i * step);
    } else {
      for (let t = near; t <= Math.max(-from, to); t *= 10) {
        if (t <= to) ticks.push(t);
        if (-t >= from) ticks.unshift(-t);
      }
    }
    // Labels must not run into each other, nor into that of T.
    const kept = [0];
    for (const t of ticks.sort((a, b) => Math.abs(b) - Math.abs(a))) {
      if (kept.every(other => Math.abs(place(t) - place(other)) > .115)) kept.push(t);
    }
    return {place, isLinear, ticks: kept.slice(1)};
  }

  function sectors(each) {
    return 'disk ' + each.disk + (each.count > 0 ? ', sector ' + whole(each.sector) + ' +' + each.count : '');
  }

  function story() {
    const place = byId('story');
    const cut = run.cutStory;
    if (cut == null) {
      place.append(empty(run.stunMicros.count === 0
        ? 'There is no cut to tell of: no guest was stunned.'
        : run.pendingAtStun.max === 0
          ? 'No checkpoint had I/O in flight at its instant, so nothing had to be carried over.'
          : 'Checkpoints had I/O in flight, but none of them was recorded in full.'));
      return;
    }
    const t0 = cut.atNs;
    const ends = [cut.stunNs];
    const begins = [0];
    for (const each of cut.requests) {
      begins.push(each.issuedNs - t0);
      for (const end of [each.landedNs, each.deliveredNs]) if (end != null) ends.push(end - t0);
    }
    for (const each of cut.delayed) {
      ends.push(each.fromNs - t0);
      if (each.toNs != null) ends.push(each.toNs - t0);
    }
    const last = Math.max(...ends);
    const first = Math.min(...begins);
    const scale = timeScale(Math.min(first, -1000), Math.max(last, 1000));
    const percent = t => (scale.place(t) * 100).toFixed(3) + '%';
    const width = (from, to) => ((scale.place(to) - scale.place(from)) * 100).toFixed(3) + '%';

    const reissued = cut.requests.filter(each => each.reissuedPages.length > 0).length;
    const kinds = Object.entries(cut.requests.reduce((all, each) => {
      all[each.kind] = (all[each.kind] || 0) + 1;
      return all;
    }, {})).map(([kind, n]) => n + ' ' + kind + (n === 1 || kind.endsWith('s') ? '' : kind === 'flush' ? 'es' : 's'));
    place.append(element('p', {class: 'lead'},
      'Checkpoint ' + cut.checkpoint + ' of ' + cut.vm + ', taken at T = ' + (t0 / 1e9).toFixed(3) + ' s, found '
      + plural(cut.requests.length, 'request', 'requests') + ' in flight' + (kinds.length > 0 ? ': ' + kinds.join(', ') : '') + '. The guest stood still for '
      + micros(cut.stunNs / 1000) + (run.options.reissue === 'disk' && run.options.conflict === 'delay-resume'
        ? '. ' : ' and went on without waiting for any of them. ')
      + (reissued > 0 ? plural(reissued, 'read was', 'reads were') + ' reissued to pages copied meanwhile. ' : '')
      + (cut.delayed.length > 0 ? plural(cut.delayed.length, 'new write', 'new writes') + ' waited for an older one.' : '')));

    const lanes = element('div', {class: 'lanes'});
    const backdrop = () => [
      element('i', {class: 'stun', style: {left: percent(0), width: width(0, cut.stunNs)}}),
      element('i', {class: 'instant', style: {left: percent(0)}})
    ];
    const span = (name, from, to) => element('i', {class: name, style: {left: percent(from), width: width(from, to)}});
    const row = (id, each, drawing, fate) => lanes.append(
      element('div', {class: 'id'}, element('span', {class: 'kind', style: {color: kindColour(each.kind)}}, each.kind), '#' + each.ioId),
      element('div', {class: 'where quiet'}, sectors(each)),
      element('div', {class: 'lane', style: {color: kindColour(each.kind)}, title: drawing.title}, ...backdrop(), ...drawing.marks),
      element('div', {class: 'fate'}, fate));

    lanes.append(
      element('div', {class: 'head'}, 'request'),
      element('div', {class: 'head'}, 'blocks'),
      element('div', {class: 'lane axis head'},
        element('span', {class: 'name', style: {left: percent(0)}}, 'T'),
        ...scale.ticks.map(t => element('span', {class: 'tick', style: {left: percent(t)}},
          (t > 0 ? '+' : '−') + micros(Math.abs(t) / 1000)))),
      element('div', {class: 'head'}, 'where it went'));

    for (const each of cut.requests) {
      const from = each.issuedNs - t0;
      const landed = each.landedNs == null ? null : each.landedNs - t0;
      const delivered = each.deliveredNs == null ? null : each.deliveredNs - t0;
      const marks = [];
      if (landed == null) {
        marks.push(span('bar open', from, last));
      } else {
        marks.push(span('bar', from, landed));
        if (delivered != null) {
          marks.push(span('tail', landed, Math.max(landed, delivered)));
          if (each.status === 'ok') marks.push(element('i', {class: 'dot', style: {left: percent(delivered)}}));
        }
        if (each.reissuedPages.length > 0) marks.push(element('i', {class: 'copy', style: {left: percent(landed)}}));
        if (each.status !== 'ok') marks.push(element('span', {class: 'dot failed', style: {left: percent(landed)}}, '×'));
      }
      const title = 'issued ' + fromT(from) + (landed == null ? ', never landed' : ', landed ' + fromT(landed))
        + (delivered == null ? ', never delivered to the running guest' : ', delivered ' + fromT(delivered));
      row(each.ioId, each, {marks, title}, (each.status === 'error' ? 'failed on both sides: ' : '') + each.fate);
    }
    if (cut.requests.length === 0) lanes.append(element('div', {class: 'group quiet'}, 'nothing was in flight'));
    if (cut.delayed.length > 0) {
      lanes.append(element('div', {class: 'group'}, 'New writes that waited (R8)'));
      for (const each of cut.delayed) {
        const from = each.fromNs - t0;
        const to = each.toNs == null ? null : each.toNs - t0;
        row(each.ioId, each, {
          marks: [span('wait', from, to == null ? last : to)],
          title: 'waited from ' + fromT(from) + (to == null ? ', to the end' : ' to ' + fromT(to))
        }, 'waited ' + (to == null ? 'to the end' : micros((to - from) / 1000)) + ' for #' + each.waitedForIoId
          + ', which writes below it in block group ' + whole(each.group));
      }
    }
    const sample = (words, colour, ...marks) => element('span', {},
      element('span', {class: 'lane', style: colour ? {color: colour} : {}}, ...marks), words);
    const mark = (name, style) => element('i', {class: name, style: style});
    const wide = {left: '0', width: '100%'};
    place.append(element('div', {class: 'story'}, lanes,
      element('div', {class: 'legend'},
        sample('T, and the stun', null, mark('stun', {left: '40%', width: '40%'}), mark('instant', {left: '40%'})),
        sample('from issue to landing', null, mark('bar', wide)),
        sample('landed, then delivered to the running guest', null, mark('tail', wide), mark('dot', {left: '90%'})),
        ...(reissued > 0 ? [sample('also paid to copied pages', kindColour('read'), mark('copy', {left: '50%'}))] : []),
        ...(cut.requests.some(each => each.landedNs == null) ? [sample('never landed', null, mark('bar open', wide))] : []),
        ...(cut.delayed.length > 0 ? [sample('waiting', kindColour('write'), mark('wait', wide))] : []),
        element('span', {}, 'Time runs ' + (scale.isLinear ? 'evenly.' : 'logarithmically away from T, in both directions.')))));
  }
  const fromT = t => micros(Math.abs(t) / 1000) + (t < 0 ? ' before T' : ' after T');

  // ---- tables ----

  function aborts() {
    const byReason = new Map();
    for (const each of run.checkpointList) {
      if (each.state !== 'aborted') continue;
      const reason = each.reason || 'no reason was given';
      byReason.set(reason, [...(byReason.get(reason) || []), each]);
    }
    if (byReason.size === 0) return;
    const rows = [...byReason].sort((a, b) => b[1].length - a[1].length).map(([reason, all]) => element('tr', {},
      element('td', {class: 'words'}, reason), element('td', {}, whole(all.length)),
      element('td', {class: 'words quiet'}, all.slice(0, 6).map(each => each.vm + ' #' + each.id).join(', ')
        + (all.length > 6 ? ' and ' + whole(all.length - 6) + ' more' : ''))));
    byId('aborts').append(element('h3', {}, 'Aborted'), element('div', {class: 'scroll'}, element('table', {},
      element('thead', {}, element('tr', {}, element('th', {}, 'reason'), element('th', {}, 'checkpoints'), element('th', {class: 'words'}, 'which'))),
      element('tbody', {}, ...rows))), element('h3', {}, 'All'));
  }

  function checkpoints() {
    const place = byId('checkpoints');
    const all = run.checkpointList;
    if (all.length === 0) {
      place.append(empty('No checkpoint was begun.'));
      return;
    }
    const dash = (value, format) => value == null ? '–' : format(value);
    const columns = [
      ['VM', each => each.vm, each => each.vm],
      ['no.', each => each.id, each => whole(each.id)],
      ['at', each => each.atSeconds, each => each.atSeconds.toFixed(2) + ' s'],
      ['outcome', each => each.state, each => each.state],
      ['stun', each => each.stunMicros, each => micros(each.stunMicros)],
      ['in flight', each => each.pending, each => whole(each.pending)],
      ['reissued', each => each.readsReissued, each => whole(each.readsReissued)],
      ['delayed', each => each.writesDelayed, each => whole(each.writesDelayed)],
      ['put off', each => each.putOff, each => whole(each.putOff)],
      ['memory', each => each.memoryBytes, each => bytes(each.memoryBytes)],
      ['stored', each => each.storedBytes, each => bytes(each.storedBytes)],
      ['sealed after', each => each.sealSeconds, each => dash(each.sealSeconds, value => micros(value * 1e6))],
      ['verified', each => each.violations > 0 ? 2 : each.verified ? 1 : 0, each => each.violations > 0
        ? plural(each.violations, 'violation', 'violations') : each.verified ? 'yes' : 'no']
    ].filter(column => column[0] !== 'put off' || all.some(each => each.putOff > 0));
    const filters = {
      'all': () => true,
      'aborted': each => each.state === 'aborted',
      'violated': each => each.violations > 0,
      'not verified': each => !each.verified,
      'with I/O in flight': each => each.pending > 0
    };
    const names = Object.keys(filters).filter(name => all.some(filters[name]));
    let shown = all;
    let sortedBy = null;
    let isDown = false;
    let first = 0;

    const body = element('tbody', {});
    const where = element('span', {});
    const back = element('button', {type: 'button', onclick: () => go(-ROWS_A_PAGE)}, 'back');
    const on = element('button', {type: 'button', onclick: () => go(ROWS_A_PAGE)}, 'on');
    const filter = element('select', {'aria-label': 'which checkpoints', onchange: () => {
      first = 0;
      show();
    }}, ...names.map(name => element('option', {value: name}, name + ' (' + whole(all.filter(filters[name]).length) + ')')));
    const heads = columns.map(([name, key]) => element('button', {type: 'button', onclick: () => {
      isDown = sortedBy === key ? !isDown : typeof key(all[0]) === 'number';
      sortedBy = key;
      first = 0;
      heads.forEach(head => head.removeAttribute('data-order'));
      heads[columns.findIndex(column => column[1] === key)].setAttribute('data-order', isDown ? 'down' : 'up');
      show();
    }}, name));
    function go(rows) {
      first += rows;
      show();
    }
    function show() {
      shown = all.filter(filters[filter.value || names[0]]);
      if (sortedBy) {
        const collator = new Intl.Collator('en', {numeric: true});
        const compare = (a, b) => a == null || b == null ? (a == null) - (b == null)
          : (typeof a === 'string' ? collator.compare(a, b) : a - b) * (isDown ? -1 : 1);
        shown.sort((a, b) => compare(sortedBy(a), sortedBy(b)));
      }
      const rows = shown.slice(first, first + ROWS_A_PAGE);
      body.replaceChildren(...rows.map(each => element('tr', {title: each.reason || ''}, ...columns.map(([name, , text]) =>
        element('td', (name === 'outcome' && each.state === 'aborted') || (name === 'verified' && each.violations > 0)
          ? {class: 'bad'} : {}, text(each))))));
      where.textContent = whole(first + 1) + ' to ' + whole(first + rows.length) + ' of ' + whole(shown.length);
      back.disabled = first === 0;
      on.disabled = first + ROWS_A_PAGE >= shown.length;
    }
    const tools = element('div', {class: 'tools'}, filter, where, back, on);
    if (page.checkpointCount > all.length) {
      tools.append('The run had ' + whole(page.checkpointCount) + '; here are ' + whole(all.length)
        + ': the violated, the aborted, those with the longest stuns, and every so many-th of the others.');
    }
    place.append(tools, element('div', {class: 'scroll'}, element('table', {},
      element('thead', {}, element('tr', {}, ...heads.map(head => element('th', {}, head)))), body)));
    show();
  }

  function options() {
    const o = run.options;
    const v = run.versions;
    const span = value => value == null ? 'until the trace ended' : digits(value) + ' s';
    byId('options').append(
      facts([
        ['VMs', whole(o.vms)], ['memory of each', bytes(o.memoryBytes)],
        ['disks of each', o.disks === 0 ? 'none' : o.disks + ' of ' + bytes(o.diskSizeBytes)],
        ['requests in flight', whole(o.iodepth) + ' of each VM'],
        ['stores', o.dirtyRate == null ? 'as many as it can make' : whole(o.dirtyRate) + '/s by each VM'],
        ['guest', o.guest], ...(o.trace == null ? [] : [['trace', o.trace], ['speed', digits(o.speed) + ' times as recorded']])
      ]),
      facts([
        ['a checkpoint every', span(o.checkpointEverySeconds)], ['for', span(o.forSeconds)], ['reissue', o.reissue], ['conflict', o.conflict],
        ['store', o.store == null ? 'temporary' : o.store], ['kept of each VM', whole(o.keep)], ['of disks', o.keepDisks], ['seed', page.seed]
      ]),
      facts([
        ['tintype', v.tintype], ['Java', v.java], ['system', v.os], ['cores', whole(v.cores)],
        ['memory', v.memoryBytes > 0 ? bytes(v.memoryBytes) : 'unknown'], ['started', run.startedAt],
        ['faults', whole(run.faults.memory) + ' of memory, ' + whole(run.faults.disk) + ' of disks'],
        ['store', bytes(run.store.bytes) + ' written' + (run.store.megabytesPerSecond == null ? '' : ', ' + digits(run.store.megabytesPerSecond) + ' MB/s')],
        ['held for checkpoints', 'at most ' + bytes(run.memory.framesHeldMax * FRAME_BYTES) + ' of ' + bytes(run.memory.framesHeldLimit * FRAME_BYTES)],
        ['space', 'checkpoints ' + bytes(run.space.checkpointBytes) + ', images ' + bytes(run.space.imageBytesMax) + ', free at least ' + bytes(run.space.usableBytesMin)],
        ['chains', 'at most ' + whole(run.chains.layersMax) + ' of ' + whole(run.chains.layersLimit) + ' layers']
      ]));
    const size = value => {
      const units = ['', 'KiB', 'MiB', 'GiB', 'TiB'];
      let unit = 0;
      while (value >= 1024 && value % 1024 === 0 && unit < units.length - 1) {
        value /= 1024;
        unit++;
      }
      return value + units[unit];
    };
    const quoted = text => /^[\w./-]+$/.test(text) ? text : "'" + text.replace(/'/g, "'\\''") + "'";
    const command = ['./tintype run', '--vms ' + o.vms, '--memory ' + size(o.memoryBytes), '--disks ' + o.disks,
      '--disk-size ' + size(o.diskSizeBytes), '--iodepth ' + o.iodepth, '--dirty-rate ' + (o.dirtyRate == null ? 'unlimited' : o.dirtyRate + '/s'),
      ...(o.trace == null ? [] : ['--guest trace', '--trace ' + quoted(o.trace), '--speed ' + o.speed + 'x']),
      '--checkpoint-every ' + o.checkpointEverySeconds + 's', ...(o.forSeconds == null ? [] : ['--for ' + o.forSeconds + 's']),
      '--reissue ' + o.reissue, '--conflict ' + o.conflict, '--keep ' + o.keep, '--seed ' + page.seed];
    byId('options').after(element('pre', {}, element('code', {}, command.join(' '))));
  }

  head();
  violations();
  story();
  aborts();
  checkpoints();
  options();
  charts();
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => drawn.forEach(each => each.draw()));
})();
