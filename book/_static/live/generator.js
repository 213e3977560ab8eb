// Chapter 4.2: the generator of digits. A walk between two latent vectors, and three directions to lean it in.
"use strict";

Live.pieces.generator = async (body) => {
  const { nets, element, button, choice, slider, range, fixed, percent } = Live;
  const { layers, latents, directions, ...packed } = Live.data.digits;
  const net = { kernels: await nets.unpack(packed), layers };
  const canvas = element("canvas", { class: "live-pixels", width: 32, height: 32, role: "img", style: "width: 224px" });
  let take = 0;

  // The same digit again is another latent vector that becomes it: the walk should have somewhere to go.
  const latentOf = (digit, place) => latents[digit][(take + place) % latents[digit].length];
  function draw() {
    let z = nets.slerp(latentOf(from.value, 0), latentOf(to.value, from.value === to.value ? 1 : 0), way.value);
    for (const [name, lean] of leans) z = z.map((value, i) => value + lean.value * directions[name][i]);
    Live.paint(canvas, nets.generate(net, z));
  }
  function describe() {
    const leaning = leans.filter(([, lean]) => lean.value).map(([name, lean]) => `, ${name} ${fixed(lean.value, 1)}`);
    const walked = `${percent(way.value)} of the way from a ${from.value} to a ${to.value}`;
    canvas.setAttribute("aria-label", `A generated digit, ${walked}${leaning.join("")}`);
  }
  const change = () => (draw(), describe());

  const from = choice("From", Object.keys(latents), "3", change), to = choice("To", Object.keys(latents), "8", change);
  const { way, play } = Live.walk(body, "Walk", 3, draw, describe);
  const leans = Object.keys(directions).map((name) => [
    name, slider(name[0].toUpperCase() + name.slice(1), range(-4, 4, 0.1), 0, change, (value) => fixed(value, 1)),
  ]);
  const centre = () => (leans.forEach(([, lean]) => lean.set(0)), change());

  body.append(
    element("div", { class: "live-panels" },
      canvas,
      element("div", {},
        element("div", { class: "live-controls" }, from.node, to.node, way.node, ...leans.map(([, lean]) => lean.node)),
        element("div", { class: "live-row" },
          play.node, button("Other handwriting", () => (take++, change())), button("Centre the sliders", centre)),
      ),
    ),
  );
  change();
};
