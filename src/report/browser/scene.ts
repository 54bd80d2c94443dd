import {
  type Box3,
  DirectionalLight,
  GridHelper,
  HemisphereLight,
  PerspectiveCamera,
  Scene,
  Vector3,
  WebGLRenderer,
} from 'three';
import { OrbitControls } from 'three/examples/jsm/controls/OrbitControls.js';
import { data, onTheme, themeColour } from './data.js';
import { Player } from './player.js';
import { Episode, GROUND } from './scene-episode.js';

/** Where the camera stands, seen from what it looks at. */
const VIEW_FROM = new Vector3(1.0, -1.75, 1.1).normalize();

function cornersOf({ min, max }: Box3): Vector3[] {
  return [min.x, max.x].flatMap((x) => [min.y, max.y].flatMap((y) => [min.z, max.z].map((z) => new Vector3(x, y, z))));
}

/** The renderer in its place on the page; undefined, with a note in its place, where the browser has no WebGL. */
function openRenderer(stage: HTMLElement): WebGLRenderer | undefined {
  try {
    const renderer = new WebGLRenderer({ antialias: true, alpha: true });
    renderer.shadowMap.enabled = true;
    renderer.setPixelRatio(Math.min(2, devicePixelRatio));
    stage.append(renderer.domElement);
    return renderer;
  } catch {
    const note = document.createElement('p');
    note.className = 'note';
    note.textContent = 'This browser shows no WebGL, which the 3-D view needs. Everything else of the report works.';
    stage.append(note);
    return undefined;
  }
}

/** A sun that casts shadows. */
function sunLight(): DirectionalLight {
  const sun = new DirectionalLight(0xffffff, 2.2);
  sun.castShadow = true;
  sun.shadow.mapSize.set(2048, 2048);
  sun.shadow.normalBias = 0.01;
  return sun;
}

function skyLight(): HemisphereLight {
  const sky = new HemisphereLight(0xffffff, 0x667788, 1.5);
  sky.position.set(0, 0, 1);
  return sky;
}

/** Lines on the ground, by which one sees that a walker moves. */
function groundGrid(): GridHelper {
  const grid = new GridHelper(2 * GROUND, 2 * GROUND);
  grid.rotation.x = Math.PI / 2;
  grid.position.z = 0.001;
  return grid;
}

/** The episodes of a report in one three.js scene, of which one is shown. */
class View {
  readonly #stage: HTMLElement;
  readonly #renderer: WebGLRenderer;
  readonly #scene = new Scene();
  readonly #sun = sunLight();
  readonly #grid = groundGrid();
  readonly #camera = new PerspectiveCamera(38, 1, 0.01, 100);
  readonly #controls: OrbitControls;
  readonly #episodes = data.replays.map((replay) => new Episode(replay));
  readonly #player: Player;
  #shown = this.#episodes[0]!;
  /** Whether the camera moves along, because a walker would leave the picture. */
  #follow = false;

  constructor(figure: HTMLElement, stage: HTMLElement, renderer: WebGLRenderer) {
    this.#stage = stage;
    this.#renderer = renderer;
    this.#scene.add(skyLight(), this.#sun, this.#sun.target, this.#grid);
    this.#camera.up.set(0, 0, 1);
    this.#controls = new OrbitControls(this.#camera, renderer.domElement);
    this.#controls.maxPolarAngle = 0.52 * Math.PI;
    this.#controls.addEventListener('change', () => this.render());
    this.#player = new Player(figure, this.#shown.replay.stepSeconds, (frame) => this.#showFrame(frame));
  }

  /** Shows the first episode. */
  start(): void {
    onTheme(() => this.paint());
    this.resize();
    this.#scene.add(this.#shown.group);
    this.#frameCamera();
    this.paint();
  }

  render(): void {
    this.#renderer.render(this.#scene, this.#camera);
  }

  /** Shows another episode from its first frame. */
  choose(index: number): void {
    this.#scene.remove(this.#shown.group);
    this.#shown = this.#episodes[index]!;
    this.#scene.add(this.#shown.group);
    this.#player.load(this.#shown.replay.frames, this.#shown.replay.stepSeconds);
    if (this.#follow) this.#frameCamera();
    this.render();
  }

  /** Takes the colours of the page's theme. */
  paint(): void {
    for (const episode of this.#episodes) episode.paintGround(themeColour('--wall'));
    for (const material of [this.#grid.material].flat()) {
      material.color.set(themeColour('--soft'));
      material.vertexColors = false;
      material.transparent = true;
      material.opacity = 0.22;
      material.needsUpdate = true;
    }
    this.render();
  }

  /** Takes the size of its place on the page. */
  resize(): void {
    const { clientWidth, clientHeight } = this.#stage;
    this.#renderer.setSize(clientWidth, clientHeight);
    this.#camera.aspect = clientWidth / Math.max(1, clientHeight);
    this.#camera.updateProjectionMatrix();
  }

  #showFrame(frame: number): void {
    this.#shown.show(frame);
    if (this.#follow) {
      const shift = this.#shown.centre(frame).sub(this.#controls.target).setZ(0);
      for (const position of [this.#controls.target, this.#camera.position]) position.add(shift);
      for (const position of [this.#sun.position, this.#sun.target.position]) position.add(shift);
    }
    this.render();
  }

  /** Puts the camera as near as possible with every corner of the shown episode's box in the picture. */
  #frameCamera(): void {
    const box = this.#shown.box();
    const reach = Math.max(0.3, box.getSize(new Vector3()).length() / 2);
    const last = this.#shown.replay.frames - 1;
    const travelled = this.#shown.centre(0).setZ(0).distanceTo(this.#shown.centre(last).setZ(0));
    this.#follow = travelled > 1.2 * reach;
    this.#grid.visible = this.#follow;
    this.#controls.target.copy(this.#follow ? this.#shown.centre(0) : box.getCenter(new Vector3()));
    const corners = cornersOf(box);
    const room = this.#follow ? 0.7 : 0.94; // A walker jumps: it needs room above it.
    for (let distance = reach; distance < 20 * reach; distance *= 1.04) {
      this.#camera.position.copy(this.#controls.target).addScaledVector(VIEW_FROM, distance);
      this.#camera.lookAt(this.#controls.target);
      this.#camera.updateMatrixWorld();
      const seen = corners.map((corner) => corner.clone().project(this.#camera));
      if (seen.every(({ x, y, z }) => Math.abs(x) < room && Math.abs(y) < room && z < 1)) break;
    }
    this.#placeSun(reach);
    this.#controls.update();
  }

  /** Lights what lies within twice the `reach` (metres) around the camera's target, so that its shadows are sharp. */
  #placeSun(reach: number): void {
    const { target } = this.#controls;
    this.#sun.position.copy(target).add(new Vector3(0.6, -0.8, 2).multiplyScalar(reach * 2));
    this.#sun.target.position.copy(target);
    const side = 2 * reach;
    const edges = { left: -side, right: side, top: side, bottom: -side, near: 0.01, far: reach * 9 };
    Object.assign(this.#sun.shadow.camera, edges);
    this.#sun.shadow.camera.updateProjectionMatrix();
  }
}

function startScene(): void {
  const figure = document.querySelector<HTMLElement>('.scene');
  const stage = figure?.querySelector<HTMLElement>('.stage');
  if (figure === null || stage === null || stage === undefined) return;
  const renderer = openRenderer(stage);
  if (renderer === undefined) return;
  const view = new View(figure, stage, renderer);
  const buttons = [...figure.querySelectorAll<HTMLButtonElement>('[data-replay]')];
  for (const button of buttons)
    button.addEventListener('click', () => {
      for (const other of buttons) other.setAttribute('aria-pressed', String(other === button));
      view.choose(Number(button.dataset.replay));
    });
  view.start();
  new ResizeObserver(() => {
    view.resize();
    view.render();
  }).observe(stage);
}

startScene();
