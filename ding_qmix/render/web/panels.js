// What stands beside and below the battle: the unit that is looked at, traces over the episode, the run's curve.
'use strict';
const number = (value, digits = 2) => value == null ? '' : value.toFixed(digits);

function bar(name, share, color, text) {
  const width = (100 * Math.max(0, Math.min(1, share))).toFixed(1);
  return `<div class="row"><span>${name}</span><span class="bar"><i style="width:${width}%;background:${color}"></i></span>` +
    `<span>${text}</span></div>`;
}

function unitName(data, u) {
  return `${isAlly(data, u) ? 'ally' : 'enemy'} ${isAlly(data, u) ? u : u - data.n_agents} ` +
    `<span class="faint">${typeOf(data, u).name}</span>`;
}

function actionName(data, u, action) {
  if (action < data.actions.length) return data.actions[action];
  const v = typeOf(data, u).heals ? action - data.actions.length : action - data.actions.length + data.n_agents;
  return `${typeOf(data, u).heals ? 'heal' : 'attack'} ${action - data.actions.length} (${typeOf(data, v) ? typeOf(data, v).icon.letter : ''})`;
}

function qValues(data, frame, u) {
  const values = frame.q[u], legal = frame.legal ? frame.legal[u] : null;
  const allowed = values.filter((_, a) => !legal || legal[a] === '1');
  const low = Math.min(...allowed), high = Math.max(...allowed);
  return values.map((value, a) => {
    const isLegal = !legal || legal[a] === '1', share = isLegal ? (value - low) / Math.max(1e-9, high - low) : 0;
    const kind = `q${frame.action && frame.action[u] === a ? ' chosen' : ''}${isLegal ? '' : ' illegal'}`;
    return `<div class="${kind}"><span>${actionName(data, u, a)}</span><span class="bar"><i style="width:` +
      `${(4 + 96 * share).toFixed(1)}%;background:linear-gradient(90deg,#34508f,#fad65c)"></i></span>` +
      `<span>${isLegal ? number(value) : 'illegal'}</span></div>`;
  }).join('');
}

function unitPanel(data, moment, u) {
  if (u < 0) {
    return '<h2>Unit</h2><p class="faint">Point at a unit to see its life, cooldown, target' +
      `${data.has_q ? ' and the Q-values of its actions' : ''}.</p>${legend(data)}`;
  }
  const row = moment.units[u], kind = typeOf(data, u), frame = moment.frame;
  const parts = [`<div class="name ${isAlly(data, u) ? 'ally' : 'enemy'}">${unitName(data, u)}</div>`];
  const life = row[HEALTH] / kind.health;
  parts.push(bar('life', life, lifeColor(life), `${number(row[HEALTH], 0)} / ${number(kind.health, 0)}`));
  if (kind.shield > 0) parts.push(bar('shield', row[SHIELD] / kind.shield, COLOR.shield, `${number(row[SHIELD], 0)} / ${kind.shield}`));
  if (kind.energy > 0) parts.push(bar('energy', row[ENERGY] / kind.energy, COLOR.energy, `${number(row[ENERGY], 0)} / ${kind.energy}`));
  const loops = row[COOLDOWN];
  parts.push(bar('cooldown', loops / Math.max(1, kind.period), COLOR.faint, loops > 0 ? `${number(loops, 1)} loops` : 'ready'));
  const target = row[TARGET] >= 0 ? unitName(data, row[TARGET]) : 'none';
  parts.push(`<div class="row"><span>target</span><span>${target}</span><span></span></div>`);
  if (isAlly(data, u) && frame.action) {
    parts.push(`<div class="row"><span>action</span><span>${actionName(data, u, frame.action[u])}</span><span></span></div>`);
  }
  if (!row[ALIVE]) parts.push('<p class="faint">dead</p>');
  else if (isAlly(data, u) && frame.q) parts.push(`<h2 style="margin-top:10px">Q-values</h2>${qValues(data, frame, u)}`);
  return parts.join('');
}

function legend(data) {
  const used = [...new Set(data.unit_type)].map((t) => data.types[t]);
  return used.map((kind) => `<div class="row"><b style="color:var(--ink)">${kind.icon.letter}</b><span>${kind.name}</span>` +
    `<span class="faint">${number(kind.health, 0)} hp</span></div>`).join('');
}

function plot(canvas, series, options) {
  const ratio = window.devicePixelRatio || 1, box = canvas.getBoundingClientRect();
  canvas.width = Math.max(1, box.width * ratio); canvas.height = Math.max(1, box.height * ratio);
  const g = canvas.getContext('2d'), pad = 4 * ratio, width = canvas.width - 2 * pad, height = canvas.height - 18 * ratio;
  let words = pad;
  g.font = `${11 * ratio}px system-ui, sans-serif`; g.textBaseline = 'top';
  for (const line of series) {
    const ys = line.points.map((p) => p[1]).filter((y) => y != null);
    if (!ys.length) continue;
    const [low, high] = line.range || [Math.min(...ys), Math.max(...ys)], last = options.lastX;
    const px = (x) => pad + width * (x / Math.max(1e-9, last)), py = (y) => 15 * ratio + height * (1 - (y - low) / Math.max(1e-9, high - low));
    g.strokeStyle = line.color; g.lineWidth = 1.8 * ratio; g.lineJoin = 'round'; g.beginPath();
    let begun = false;
    for (const [x, y] of line.points) if (y != null) { g[begun ? 'lineTo' : 'moveTo'](px(x), py(y)); begun = true; }
    g.stroke();
    g.fillStyle = line.color;
    const text = `${line.name} ${number(low, line.digits)} .. ${number(high, line.digits)}`;
    g.fillText(text, words, 0);
    words += g.measureText(text).width + 18 * ratio;
    if (options.at != null) {
      const near = line.points.reduce((a, b) => Math.abs(b[0] - options.at) < Math.abs(a[0] - options.at) ? b : a);
      if (near[1] != null) { g.beginPath(); g.arc(px(near[0]), py(near[1]), 3.2 * ratio, 0, 7); g.fill(); }
    }
  }
  if (options.at != null) {
    g.fillStyle = '#ffffff50';
    g.fillRect(pad + width * (options.at / Math.max(1e-9, options.lastX)), 14 * ratio, ratio, height);
  }
}

function episodeTraces(data) {
  const share = (frame, from, to) => {
    let left = 0, whole = 0;
    for (let u = from; u < to; u++) {
      left += frame.units[u][HEALTH] + frame.units[u][SHIELD]; whole += typeOf(data, u).health + typeOf(data, u).shield;
    }
    return left / whole;
  };
  const n = data.unit_type.length, of = (value) => data.frames.map((frame, i) => [i, value(frame)]);
  const traces = [
    { name: 'ally life', color: COLOR.ally, range: [0, 1], digits: 0, points: of((f) => share(f, 0, data.n_agents)) },
    { name: 'enemy life', color: COLOR.enemy, range: [0, 1], digits: 0, points: of((f) => share(f, data.n_agents, n)) },
    { name: 'return', color: COLOR.high, digits: 1, points: of((f) => f.episode_return) },
  ];
  if (data.has_q_tot) traces.push({ name: 'Q_tot', color: COLOR.gold, digits: 2, points: of((f) => f.q_tot) });
  return traces;
}
