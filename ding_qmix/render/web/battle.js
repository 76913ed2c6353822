// Draws one moment of a battle. All lengths are map units times `view.scale`.
'use strict';
const COLOR = { paper: '#101216', ground: '#343a42', grid: '#3b424b', rock: '#1d2127', cliff: '#4a423a', ally: '#4f9bff',
  enemy: '#f2604f', allyShot: '#a9d0ff', enemyShot: '#ffb070', heal: '#5ce284', shield: '#60d6f0', energy: '#c480ff',
  high: '#56ce62', mid: '#f0c846', low: '#f05a46', ink: '#eef1f5', faint: '#8d96a3', gold: '#fad65c' };
const X = 0, Y = 1, HEALTH = 2, SHIELD = 3, ENERGY = 4, COOLDOWN = 5, ALIVE = 6, TARGET = 7; // columns of a unit's row
const AIM_SLACK = 1; // [map units] beyond weapon range up to which a target counts as being shot at

const lerp = (a, b, t) => a + (b - a) * t;
const lifeColor = (share) => share > 0.6 ? COLOR.high : share > 0.3 ? COLOR.mid : COLOR.low;
const isAlly = (data, u) => u < data.n_agents;
const typeOf = (data, u) => data.types[data.unit_type[u]];

// The units between two env steps: positions and life on the way, the rest as in the earlier one.
function unitsAt(data, time) {
  const i = Math.min(Math.floor(time), data.frames.length - 1), next = data.frames[Math.min(i + 1, data.frames.length - 1)];
  const share = time - i, frame = data.frames[i];
  const units = frame.units.map((row, u) => {
    const to = next.units[u], mix = row.slice();
    if (row[ALIVE]) for (const k of [X, Y, HEALTH, SHIELD, ENERGY]) mix[k] = lerp(row[k], to[k], share);
    return mix;
  });
  return { frame, next, units, share, index: i };
}

function makeView(canvas, data) {
  const ratio = window.devicePixelRatio || 1, box = canvas.getBoundingClientRect();
  canvas.width = Math.max(1, Math.round(box.width * ratio));
  canvas.height = Math.max(1, Math.round(box.height * ratio));
  const [left, right, bottom, top] = data.extent;
  const scale = Math.min(canvas.width / (right - left), canvas.height / (top - bottom));
  const dx = (canvas.width - scale * (right - left)) / 2, dy = (canvas.height - scale * (top - bottom)) / 2;
  return { scale, ratio, place: (x, y) => [dx + (x - left) * scale, dy + (top - y) * scale],
    find: (px, py) => [(px * ratio - dx) / scale + left, top - (py * ratio - dy) / scale] };
}

function drawTerrain(view, data, canvas) {
  const layer = document.createElement('canvas');
  layer.width = canvas.width; layer.height = canvas.height;
  const g = layer.getContext('2d'), [left, , bottom] = data.extent, s = view.scale;
  g.fillStyle = COLOR.paper;
  g.fillRect(0, 0, layer.width, layer.height);
  data.terrain.forEach((column, i) => [...column].forEach((cell, j) => {
    const [px, py] = view.place(left + i, bottom + j + 1);
    g.fillStyle = cell === '.' ? COLOR.ground : cell === '^' ? COLOR.cliff : COLOR.rock;
    g.fillRect(px, py, s + 0.6, s + 0.6);
    if (cell === '.') { g.strokeStyle = COLOR.grid; g.lineWidth = 1; g.strokeRect(px, py, s, s); }
  }));
  return layer;
}

function outline(g, x, y, radius, icon) {
  g.beginPath();
  if (icon.sides === 0) g.arc(x, y, radius, 0, 2 * Math.PI);
  for (let k = 0; k < icon.sides; k++) {
    const a = 2 * Math.PI * (k / icon.sides + icon.turn);
    g[k ? 'lineTo' : 'moveTo'](x + 1.12 * radius * Math.cos(a), y - 1.12 * radius * Math.sin(a));
  }
  g.closePath();
}

function drawAim(g, view, data, units, u, phase) {
  const row = units[u], v = row[TARGET];
  if (!row[ALIVE] || v < 0 || !units[v][ALIVE]) return;
  const kind = typeOf(data, u), other = typeOf(data, v), from = view.place(row[X], row[Y]);
  const to = view.place(units[v][X], units[v][Y]);
  const gap = Math.hypot(row[X] - units[v][X], row[Y] - units[v][Y]) - kind.radius - other.radius;
  const color = kind.heals ? COLOR.heal : isAlly(data, u) ? COLOR.allyShot : COLOR.enemyShot;
  const shooting = gap <= (kind.range || 4) + AIM_SLACK;
  g.strokeStyle = color; g.globalAlpha = shooting ? 0.75 : 0.16; g.lineWidth = (shooting ? 1.8 : 1) * view.ratio;
  g.beginPath(); g.moveTo(...from); g.lineTo(...to); g.stroke();
  if (shooting) { // a spark on its way
    const t = (phase * 2 + u * 0.37) % 1;
    g.globalAlpha = 1; g.fillStyle = color; g.shadowColor = color; g.shadowBlur = 8 * view.ratio;
    g.beginPath(); g.arc(lerp(from[0], to[0], t), lerp(from[1], to[1], t), 2.4 * view.ratio, 0, 7); g.fill();
    g.shadowBlur = 0;
  }
  g.globalAlpha = 1;
}

function drawDead(g, view, data, row, u) {
  const [x, y] = view.place(row[X], row[Y]), arm = 0.22 * view.scale;
  g.strokeStyle = isAlly(data, u) ? COLOR.ally : COLOR.enemy; g.globalAlpha = 0.45; g.lineWidth = 2 * view.ratio;
  g.beginPath();
  g.moveTo(x - arm, y - arm); g.lineTo(x + arm, y + arm); g.moveTo(x - arm, y + arm); g.lineTo(x + arm, y - arm);
  g.stroke(); g.globalAlpha = 1;
}

function drawUnit(g, view, data, moment, u, marked) {
  const row = moment.units[u], kind = typeOf(data, u), [x, y] = view.place(row[X], row[Y]), r = kind.radius * view.scale;
  const team = isAlly(data, u) ? COLOR.ally : COLOR.enemy, life = row[HEALTH] / kind.health;
  if (marked) {
    g.strokeStyle = team; g.globalAlpha = 0.35; g.lineWidth = view.ratio; g.setLineDash([6, 6]);
    if (kind.range >= 1) { g.beginPath(); g.arc(x, y, (kind.range + kind.radius) * view.scale, 0, 7); g.stroke(); }
    g.setLineDash([]); g.globalAlpha = 1;
  }
  const hurt = moment.next.units[u][HEALTH] + moment.next.units[u][SHIELD] < moment.frame.units[u][HEALTH] +
    moment.frame.units[u][SHIELD] - 0.01;
  g.shadowColor = marked ? '#ffffff' : hurt ? COLOR.low : '#000'; g.shadowBlur = (marked ? 16 : hurt ? 12 : 6) * view.ratio;
  outline(g, x, y, r, kind.icon);
  const fill = g.createRadialGradient(x - r * 0.4, y - r * 0.5, r * 0.1, x, y, r * 1.3);
  fill.addColorStop(0, isAlly(data, u) ? '#86bbff' : '#ff9a8c'); fill.addColorStop(1, isAlly(data, u) ? '#2a62b8' : '#a8362a');
  g.fillStyle = fill; g.globalAlpha = kind.air ? 0.55 : 1; g.fill();
  g.shadowBlur = 0; g.globalAlpha = 1;
  g.strokeStyle = marked ? '#ffffff' : '#0b0d10'; g.lineWidth = (marked ? 2 : 1.2) * view.ratio; g.stroke();
  g.fillStyle = COLOR.ink; g.textAlign = 'center'; g.textBaseline = 'middle';
  g.font = `600 ${Math.max(9 * view.ratio, 1.05 * r)}px system-ui, sans-serif`;
  g.fillText(kind.icon.letter, x, y + 0.04 * r);
  const arcs = [[life, lifeColor(life)]]; // rings from the inside to the outside
  if (kind.shield > 0) arcs.push([row[SHIELD] / kind.shield, COLOR.shield]);
  if (kind.energy > 0) arcs.push([row[ENERGY] / kind.energy, COLOR.energy]);
  arcs.forEach(([share, color], k) => {
    const ring = r * 1.22 + (3.2 + 4.2 * k) * view.ratio;
    g.lineWidth = 3 * view.ratio; g.lineCap = 'round';
    g.strokeStyle = '#0008'; g.beginPath(); g.arc(x, y, ring, -Math.PI * 0.85, -Math.PI * 0.15); g.stroke();
    if (share <= 0) return;
    g.strokeStyle = color; g.beginPath();
    g.arc(x, y, ring, -Math.PI * 0.85, -Math.PI * (0.85 - 0.7 * Math.min(1, share))); g.stroke();
  });
}

function drawBattle(canvas, view, terrain, data, time, marked) {
  const g = canvas.getContext('2d'), moment = unitsAt(data, time);
  g.drawImage(terrain, 0, 0);
  const order = data.unit_type.map((_, u) => u).sort((a, b) => typeOf(data, a).air - typeOf(data, b).air);
  for (const u of order) if (!moment.units[u][ALIVE]) drawDead(g, view, data, moment.units[u], u);
  for (const u of order) drawAim(g, view, data, moment.units, u, time);
  for (const u of order) if (moment.units[u][ALIVE]) drawUnit(g, view, data, moment, u, u === marked);
  return moment;
}

function unitAt(data, moment, x, y) {
  let best = -1, least = Infinity;
  moment.units.forEach((row, u) => {
    const away = Math.hypot(row[X] - x, row[Y] - y) - typeOf(data, u).radius;
    if (row[ALIVE] && away < Math.min(0.35, least)) { best = u; least = away; }
  });
  return best;
}
