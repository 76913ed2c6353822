// The player: time, controls, and who draws what. `document.body.dataset` tells frame, state and error to tests.
'use strict';
const STEPS_PER_SECOND = 2; // env steps a second of the game at its normal speed
const byId = (id) => document.getElementById(id);
window.addEventListener('error', (event) => { document.body.dataset.error = event.message; });

const data = JSON.parse(byId('data').textContent);
const last = data.frames.length - 1, battle = byId('battle'), traces = episodeTraces(data);
const player = { time: 0, playing: false, pointed: -1, kept: -1, before: null, view: null, terrain: null, moment: null };

function layOut() {
  player.view = makeView(battle, data);
  player.terrain = drawTerrain(player.view, data, battle);
  if (data.win_rate) {
    byId('curve').hidden = false;
    const points = data.win_rate, line = { name: 'win rate', color: COLOR.high, range: [0, 1], digits: 0, points };
    plot(byId('win_rate'), [line], { lastX: points[points.length - 1][0], at: data.env_step });
  }
  show();
}

function show() {
  const marked = player.pointed >= 0 ? player.pointed : player.kept;
  player.moment = drawBattle(battle, player.view, player.terrain, data, player.time, marked);
  const { frame, index } = player.moment, alive = (from, to) => frame.units.slice(from, to).filter((row) => row[ALIVE]).length;
  byId('allies').textContent = alive(0, data.n_agents);
  byId('enemies').textContent = alive(data.n_agents, data.unit_type.length);
  byId('unit').innerHTML = unitPanel(data, player.moment, marked);
  byId('clock').textContent = `step ${frame.step} of ${data.frames[last].step}, ${number(player.time / STEPS_PER_SECOND, 1)} s of the game`;
  const qTot = frame.q_tot == null ? '' : `Q_tot ${number(frame.q_tot)}   `;
  byId('numbers').textContent = `${qTot}reward ${number(frame.reward)}   return ${number(frame.episode_return)}`;
  byId('scrub').value = player.time;
  plot(byId('traces'), traces, { lastX: last, at: player.time });
  document.body.dataset.frame = index;
}

function play(on) {
  if (on && player.time >= last) player.time = 0;
  player.playing = on; player.before = null;
  byId('play').textContent = on ? 'Pause' : 'Play';
  document.body.dataset.state = on ? 'playing' : 'paused';
  if (on) soon(tick);
}

// The browser's next picture, or soon where it draws none, as in a hidden tab.
function soon(call) {
  let called = false;
  const once = () => { if (!called) { called = true; call(performance.now()); } };
  requestAnimationFrame(once);
  setTimeout(once, 50);
}

function tick(now) {
  if (!player.playing) return;
  if (player.before != null) {
    const seconds = Math.min(0.25, (now - player.before) / 1000);
    player.time = Math.min(last, player.time + seconds * STEPS_PER_SECOND * Number(byId('speed').value));
  }
  player.before = now;
  show();
  if (player.time >= last) { play(false); document.body.dataset.state = 'ended'; } else soon(tick);
}

function goTo(time) {
  player.time = Math.max(0, Math.min(last, time));
  show();
}

function step(by) {
  play(false);
  goTo(Math.round(player.time) + by);
}

function pointAt(event) {
  const box = battle.getBoundingClientRect();
  return unitAt(data, player.moment, ...player.view.find(event.clientX - box.left, event.clientY - box.top));
}

function begin() {
  byId('map').textContent = data.map_name;
  byId('label').textContent = data.label;
  byId('result').textContent = data.result || 'unfinished';
  byId('result').classList.add((data.result || 'unfinished').split(' ')[0]);
  byId('scrub').max = last;
  byId('play').onclick = () => play(!player.playing);
  byId('back').onclick = () => step(-1);
  byId('forward').onclick = () => step(1);
  byId('scrub').oninput = (event) => goTo(Number(event.target.value));
  byId('traces').onclick = (event) => {
    const box = event.target.getBoundingClientRect();
    goTo(last * (event.clientX - box.left) / box.width);
  };
  battle.onmousemove = (event) => { player.pointed = pointAt(event); if (!player.playing) show(); };
  battle.onmouseleave = () => { player.pointed = -1; if (!player.playing) show(); };
  battle.onclick = (event) => { player.kept = pointAt(event); show(); };
  window.addEventListener('resize', layOut);
  window.addEventListener('keydown', (event) => {
    const action = { ' ': () => play(!player.playing), ArrowLeft: () => step(-1), ArrowRight: () => step(1) }[event.key];
    if (action) { event.preventDefault(); action(); }
  });
  const wish = new URLSearchParams(location.hash.slice(1)); // #step=40&unit=3 shows a moment, #paused does not play
  if (wish.has('unit')) player.kept = Number(wish.get('unit'));
  if (wish.has('step')) player.time = Math.max(0, Math.min(last, Number(wish.get('step'))));
  layOut();
  play(!wish.has('step') && !wish.has('paused'));
}

begin();
