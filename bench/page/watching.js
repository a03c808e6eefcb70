// Runs inside the page: what it draws, and when a message is there to be read.
// A frame that comes late stands for those that were dropped before it.
window.bench = {
  frames: [], tasks: [], shown: {}, on: false,
  start() {
    Object.assign(this, { frames: [], tasks: [], on: true });
    let last = performance.now();
    const frame = (now) => {
      this.frames.push(now - last);
      last = now;
      if (this.on) requestAnimationFrame(frame);
    };
    requestAnimationFrame(frame);
  },
  stop() {
    this.on = false;
    return { frames: this.frames, tasks: this.tasks };
  },
  // The message in the middle of the list, and where it stands.
  anchor() {
    const log = document.querySelector('[role=log]');
    const box = log.getBoundingClientRect();
    const middle = box.top + box.height / 2;
    for (const row of log.querySelectorAll('article')) {
      const at = row.getBoundingClientRect();
      if (at.bottom > middle) return { id: row.id, top: at.top, scrolled: log.scrollTop };
    }
    return null;
  },
  // Where a message stands now; null when it is drawn no longer.
  top(id) {
    return document.getElementById(id)?.getBoundingClientRect().top ?? null;
  },
  // Notes when each message that names itself in its text came to be seen.
  note() {
    const named = /n-\d+\b/g;
    new MutationObserver(() => {
      for (const [name] of document.querySelector('[role=log]')?.textContent.matchAll(named) ?? []) {
        this.shown[name] ??= Date.now();
      }
    }).observe(document.body, { childList: true, subtree: true, characterData: true });
  },
};
new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) window.bench.tasks.push(entry.duration);
}).observe({ entryTypes: ['longtask'] });
