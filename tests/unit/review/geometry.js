// Where everything is drawn: what is wrong, how many arrows, which rows, how many hosts.
const drawn = [...document.querySelectorAll('.picture')].filter(p => getComputedStyle(p).display != 'none')[0];
const wrong = [];
const say = (what, name) => wrong.push(what + ': ' + name);
const inside = (a, b, slack) => a.left >= b.left - slack && a.right <= b.right + slack
  && a.top >= b.top - slack && a.bottom <= b.bottom + slack;
const apart = (a, b) => a.right <= b.left + 0.5 || b.right <= a.left + 0.5 || a.bottom <= b.top + 0.5 || b.bottom <= a.top + 0.5;
const sheet = drawn.getBoundingClientRect();
const hosts = [...drawn.querySelectorAll('.host')];
const frames = hosts.map(h => h.querySelector('.frame').getBoundingClientRect());
frames.forEach((a, i) => {
  if (!inside(a, sheet, 1)) say('off the paper', hosts[i].dataset.host);
  frames.forEach((b, j) => { if (i < j && !apart(a, b)) say('boxes overlap', hosts[i].dataset.host); });
});
hosts.forEach((host, i) => {
  const rows = [...host.querySelectorAll('.row')];
  rows.forEach((row, n) => {
    const place = row.dataset.place, at = row.querySelector('rect').getBoundingClientRect();
    if (!place.endsWith('@' + host.dataset.host)) say('in another box', place);
    if (!inside(at, frames[i], 0)) say('row outside its box', place);
    row.querySelectorAll('text').forEach(t => { if (!inside(t.getBoundingClientRect(), at, 1)) say('text outside its row', place); });
    if (n && !apart(at, rows[n - 1].querySelector('rect').getBoundingClientRect())) say('rows overlap', place);
  });
  host.querySelectorAll(':scope > text').forEach(t => { if (!inside(t.getBoundingClientRect(), frames[i], 1)) say('text outside its box', host.dataset.host); });
});
const near = (point, row) => {
  const at = row.querySelector('rect').getBoundingClientRect();
  return point.y > at.top && point.y < at.bottom && Math.min(Math.abs(point.x - at.left), Math.abs(point.x - at.right)) < 2;
};
const ways = [...drawn.querySelectorAll('.way')];
ways.forEach(way => {
  const path = way.querySelector('.over'), toScreen = path.getScreenCTM(), long = path.getTotalLength();
  const at = length => { const p = path.getPointAtLength(length); return new DOMPoint(p.x, p.y).matrixTransform(toScreen); };
  const row = place => [...drawn.querySelectorAll('.row')].find(r => r.dataset.place == place);
  const [from, to] = [row(way.dataset.from), row(way.dataset.to)];
  if (!near(at(0), from)) say('begins elsewhere', way.dataset.from);
  if (!near(at(long), to)) say('ends elsewhere', way.dataset.to);
  const ends = [from, to].map(r => frames[hosts.indexOf(r.closest('.host'))]);
  for (let done = 0; done <= long; done += 4) {
    const p = at(done);
    if (p.x < sheet.left || p.x > sheet.right || p.y < sheet.top || p.y > sheet.bottom) { say('arrow off the paper', way.dataset.from); break; }
    const crossed = frames.find(f => p.x > f.left + 12 && p.x < f.right - 12 && p.y > f.top + 2 && p.y < f.bottom - 2);
    if (crossed) { say('arrow through a box', way.dataset.from); break; }
  }
});
return [wrong, ways.length, [...drawn.querySelectorAll('.row')].map(r => r.dataset.place), hosts.length];
