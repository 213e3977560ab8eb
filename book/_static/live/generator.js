// Chapter 4.2: the generator of digits. A walk between two latent vectors, and three directions to lean it in.
"use strict";

globalThis.Live ??= {};
(Live.pieces ??= {}).generator = async (piece) => {
  const { nets, element, slider, paint } = Live;
  const { layers, latents, directions, ...packed } = Live.data.digits;
  const net = { kernels: await nets.unpack(packed), layers };

  const canvas = element("canvas", { class: "live-canvas", width: 32, height: 32, role: "img", style: "width: 224px" });
  const state = { from: "3", to: "8", take: 0, walked: 0, ahead: 1, lean: { slant: 0, width: 0, ink: 0 } };
  // The same digit again is another latent vector that becomes it: the walk should have somewhere to go.
  const latentOf = (digit, place) => latents[digit][(state.take + place) % latents[digit].length];

  function draw() {
    const same = state.from === state.to ? 1 : 0;
    let z = nets.slerp(latentOf(state.from, 0), latentOf(state.to, same), state.walked);
    for (const [name, way] of Object.entries(directions)) z = z.map((value, i) => value + state.lean[name] * way[i]);
    paint(canvas, nets.generate(net, z));
  }
  function describe() {
    const leaning = Object.entries(state.lean).filter(([, value]) => value).map(([name, value]) => `, ${name} ${value}`);
    canvas.setAttribute(
      "aria-label",
      `A generated digit, ${Math.round(100 * state.walked)} % of the way from a ${state.from} to a ${state.to}${leaning.join("")}`,
    );
  }
  const change = () => (draw(), describe());

  const choice = (name, key) => {
    const options = Object.keys(latents).map((digit) => element("option", { value: digit }, digit));
    const select = element("select", {}, ...options);
    select.value = state[key];
    select.onchange = () => ((state[key] = select.value), change());
    return element("label", {}, name, select);
  };
  const walk = slider("walk", {
    min: 0, max: 1, step: 0.01, value: 0,
    said: (t) => `${Math.round(100 * t)} % of the way`,
    oninput: (t) => (player.pause(), (state.walked = t), change()),
  });
  const leans = Object.keys(directions).map((name) =>
    slider(name, { min: -4, max: 4, step: 0.1, value: 0, oninput: (value) => ((state.lean[name] = value), change()) }),
  );
  const button = element("button", { type: "button" });
  const another = element("button", { type: "button", onclick: () => (state.take++, change()) }, "Other handwriting");
  const upright = element("button", {
    type: "button",
    onclick: () => {
      for (const [i, name] of Object.keys(directions).entries()) leans[i].input.show((state.lean[name] = 0));
      change();
    },
  }, "Centre the sliders");

  piece.prepend(
    element("div", { class: "live-stage" },
      canvas,
      element("div", { class: "live-controls" },
        element("div", { class: "live-row" }, choice("from", "from"), choice("to", "to"), button),
        walk.label,
        ...leans.map(({ label }) => label),
        element("div", { class: "live-row" }, another, upright),
      ),
    ),
  );
  const player = Live.player(piece, button, (seconds) => {
    state.walked += (state.ahead * seconds) / 3; // three seconds there, three back
    if (state.walked <= 0 || state.walked >= 1) state.ahead = state.walked <= 0 ? 1 : -1;
    state.walked = Math.min(1, Math.max(0, state.walked));
    walk.input.show(state.walked);
    draw();
  });
  button.addEventListener("click", describe); // not at each image: a screen reader would not stop talking
  change();
};
