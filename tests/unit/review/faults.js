// What no page may have.
const root = document.documentElement, found = [];
if (root.scrollWidth > innerWidth) found.push('scrolls sideways: ' + root.scrollWidth);
if (document.querySelector('script, iframe, object, embed, img, form')) found.push('an element that does not belong');
if ([...document.querySelectorAll('*')].some(e => [...e.attributes].some(a => a.name.startsWith('on')))) found.push('a handler');
const ids = [...document.querySelectorAll('[id]')].map(e => e.id);
if (new Set(ids).size != ids.length) found.push('an id twice');
document.querySelectorAll('a[href]').forEach(a => { const h = a.getAttribute('href');
  if (!h.startsWith('#') || !document.getElementById(h.slice(1))) found.push('leads nowhere: ' + h); });
document.querySelectorAll('use').forEach(u => { if (!document.getElementById(u.getAttribute('href').slice(1))) found.push('no shape ' + u.getAttribute('href')); });
document.querySelectorAll('[aria-labelledby]').forEach(e => e.getAttribute('aria-labelledby').split(' ').forEach(i => { if (!document.getElementById(i)) found.push('no label ' + i); }));
document.querySelectorAll('table').forEach(t => { if (!t.querySelector('th[scope]')) found.push('a table without heads'); });
if (document.querySelectorAll('h1').length != 1) found.push('not one h1');
if (document.documentElement.lang != 'en') found.push('no language');
return found;
