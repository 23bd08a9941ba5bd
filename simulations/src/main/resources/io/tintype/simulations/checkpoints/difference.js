'use strict';
(function () {
  const page = JSON.parse(document.getElementById('data').textContent);
  const whole = count => Math.round(count).toLocaleString('en');
  const style = getComputedStyle(document.documentElement);
  const colour = name => style.getPropertyValue(name).trim();
  const CELL = 9;

  function element(name, attributes, ...children) {
    const made = document.createElement(name);
    for (const [key, value] of Object.entries(attributes || {})) made.setAttribute(key, value);
    for (const child of children) made.append(child);
    return made;
  }

  function words(part) {
    const unit = part.name.startsWith('memory') ? 'pages' : 'blocks of 4 KiB';
    const share = part.units === 0 ? 0 : 100 * part.changed / part.units;
    return whole(part.changed) + ' of ' + whole(part.units) + ' ' + unit + ' differ ('
      + (share >= 10 ? share.toFixed(0) : share.toFixed(1)) + ' %)'
      + (part.groups > 0 ? ', in ' + whole(part.groups) + ' block groups' : '');
  }

  function where(part, cell) {
    let from = 0;
    for (let i = 0; i < cell; i++) from += part.sizes[i];
    const to = from + part.sizes[cell] - 1;
    return from === to ? whole(from) : whole(from) + ' to ' + whole(to);
  }

  function draw(part) {
    const rows = Math.ceil(part.cells.length / part.columns);
    const at = element('div', {class: 'chart', style: 'height:' + (rows * CELL + 40) + 'px'});
    document.getElementById('parts').append(element('section', {},
      element('h2', {}, part.name), element('p', {class: 'lead'}, words(part)), at));
    const chart = echarts.init(at, null, {renderer: 'canvas'});
    chart.setOption({
      animation: false,
      grid: {left: 8, right: 8, top: 8, bottom: 24},
      tooltip: {
        formatter: hit => {
          const cell = hit.value[1] * part.columns + hit.value[0];
          return (part.name.startsWith('memory') ? 'pages ' : 'blocks ') + where(part, cell) + ': '
            + whole(part.cells[cell]) + ' differ';
        }
      },
      xAxis: {type: 'category', show: false, data: Array.from({length: part.columns}, (_, i) => i)},
      yAxis: {type: 'category', show: false, inverse: true, data: Array.from({length: rows}, (_, i) => i)},
      visualMap: {show: false, min: 0, max: 1, dimension: 2, inRange: {color: [colour('--grid'), colour('--write')]}},
      series: [{
        type: 'heatmap',
        progressive: 0,
        data: part.cells.map((changed, i) =>
          [i % part.columns, Math.floor(i / part.columns), changed / part.sizes[i]]),
        itemStyle: {borderWidth: 1, borderColor: colour('--paper')}
      }]
    });
    window.addEventListener('resize', () => chart.resize());
  }

  page.parts.forEach(draw);
})();
