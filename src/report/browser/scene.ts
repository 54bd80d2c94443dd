import {
  Box3,
  BoxGeometry,
  type BufferGeometry,
  CapsuleGeometry,
  Color,
  CylinderGeometry,
  DirectionalLight,
  GridHelper,
  Group,
  HemisphereLight,
  Mesh,
  MeshStandardMaterial,
  PerspectiveCamera,
  PlaneGeometry,
  Scene,
  SphereGeometry,
  Vector3,
  WebGLRenderer,
} from 'three';
import { OrbitControls } from 'three/examples/jsm/controls/OrbitControls.js';
import type { SceneReplay } from '../data.js';
import { data, onTheme, themeColour } from './data.js';
import { Player } from './player.js';

type Body = SceneReplay['bodies'][number];

/** Half the side of a plane without limits, metres. */
const GROUND = 20;
/** Where the camera stands, seen from what it looks at. */
const VIEW_FROM = new Vector3(1.0, -1.75, 1.1).normalize();

/** MuJoCo's shapes stand along z; three's capsules and cylinders along y. */
function geometryOf({ shape, size }: Body, index: number): BufferGeometry {
  const [a = 0, b = 0, c = 0] = size;
  // The ends of two links in a joint are the same sphere: a hair's breadth decides which one is seen.
  const round = a * (1 - 0.006 * (index % 3));
  switch (shape) {
    case 'plane':
      return new PlaneGeometry(2 * (a || GROUND), 2 * (b || GROUND));
    case 'sphere':
      return new SphereGeometry(round, 48, 32);
    case 'capsule':
      return new CapsuleGeometry(round, 2 * b, 20, 48).rotateX(Math.PI / 2);
    case 'cylinder':
      return new CylinderGeometry(a, a, 2 * b, 36).rotateX(Math.PI / 2);
    case 'ellipsoid':
      return new SphereGeometry(1, 32, 20).scale(a, b, c);
    case 'box':
      return new BoxGeometry(2 * a, 2 * b, 2 * c);
  }
}

function meshOf(body: Body, index: number): Mesh {
  const [r = 1, g = 1, b = 1, alpha = 1] = body.rgba;
  const material = new MeshStandardMaterial({
    color: new Color().setRGB(r, g, b, 'srgb'),
    roughness: 0.62,
    metalness: 0.05,
    transparent: alpha < 1,
    opacity: alpha,
  });
  const mesh = new Mesh(geometryOf(body, index), material);
  mesh.castShadow = body.shape !== 'plane' && alpha > 0.5;
  mesh.receiveShadow = true;
  return mesh;
}

/** One episode as meshes that can be set to any frame. */
class Episode {
  readonly group = new Group();
  readonly #replay: SceneReplay;
  readonly #meshes: readonly Mesh[];

  constructor(replay: SceneReplay) {
    this.#replay = replay;
    this.#meshes = replay.bodies.map(meshOf);
    this.group.add(...this.#meshes);
    this.show(0);
  }

  get replay(): SceneReplay {
    return this.#replay;
  }

  /** The ground takes the page's colour, so that the dark page has no white floor. */
  paintGround(colour: string): void {
    this.#replay.bodies.forEach(({ shape }, i) => {
      if (shape === 'plane') (this.#meshes[i]!.material as MeshStandardMaterial).color.set(colour);
    });
  }

  show(frame: number): void {
    this.#replay.bodies.forEach(({ poses }, i) => {
      const at = poses.length > 7 ? 7 * frame : 0;
      const [x, y, z, qx, qy, qz, qw] = poses.slice(at, at + 7) as [
        number,
        number,
        number,
        number,
        number,
        number,
        number,
      ];
      this.#meshes[i]!.position.set(x, y, z);
      this.#meshes[i]!.quaternion.set(qx, qy, qz, qw);
    });
  }

  /** Middle of what moves in a frame: what the camera looks at. */
  centre(frame: number): Vector3 {
    const centre = new Vector3();
    const moving = this.#replay.bodies.filter(({ poses }) => poses.length > 7);
    for (const { poses } of moving) centre.add(new Vector3(...poses.slice(7 * frame, 7 * frame + 3)));
    return centre.divideScalar(Math.max(1, moving.length));
  }

  /** The box around all but the ground at the frame shown. */
  box(): Box3 {
    const box = new Box3();
    this.#replay.bodies.forEach(({ shape }, i) => {
      if (shape !== 'plane') box.expandByObject(this.#meshes[i]!);
    });
    return box;
  }
}

function cornersOf({ min, max }: Box3): Vector3[] {
  return [min.x, max.x].flatMap((x) => [min.y, max.y].flatMap((y) => [min.z, max.z].map((z) => new Vector3(x, y, z))));
}

function startScene(): void {
  const figure = document.querySelector<HTMLElement>('.scene');
  const stage = figure?.querySelector<HTMLElement>('.stage');
  if (figure === null || stage === null || stage === undefined) return;
  let renderer: WebGLRenderer;
  try {
    renderer = new WebGLRenderer({ antialias: true, alpha: true });
  } catch {
    const note = document.createElement('p');
    note.className = 'note';
    note.textContent = 'This browser shows no WebGL, which the 3-D view needs. Everything else of the report works.';
    stage.append(note);
    return;
  }
  renderer.shadowMap.enabled = true;
  renderer.setPixelRatio(Math.min(2, devicePixelRatio));
  stage.append(renderer.domElement);

  const scene = new Scene();
  const sky = new HemisphereLight(0xffffff, 0x667788, 1.5);
  sky.position.set(0, 0, 1);
  const sun = new DirectionalLight(0xffffff, 2.2);
  sun.castShadow = true;
  sun.shadow.mapSize.set(2048, 2048);
  sun.shadow.normalBias = 0.01;
  scene.add(sky, sun, sun.target);
  // By the lines on the ground one sees that a walker moves.
  const grid = new GridHelper(2 * GROUND, 2 * GROUND);
  grid.rotation.x = Math.PI / 2;
  grid.position.z = 0.001;
  scene.add(grid);

  const camera = new PerspectiveCamera(38, 1, 0.01, 100);
  camera.up.set(0, 0, 1);
  const controls = new OrbitControls(camera, renderer.domElement);
  controls.maxPolarAngle = 0.52 * Math.PI;
  const render = (): void => renderer.render(scene, camera);
  controls.addEventListener('change', render);

  const episodes = data.replays.map((replay) => new Episode(replay));
  let shown = episodes[0]!;
  let reach = 1;
  /** A walker leaves the picture: the camera goes along. */
  let follow = false;
  const player = new Player(figure, shown.replay.stepSeconds, (frame) => {
    shown.show(frame);
    if (follow) {
      const shift = shown.centre(frame).sub(controls.target).setZ(0);
      controls.target.add(shift);
      camera.position.add(shift);
      sun.position.add(shift);
      sun.target.position.add(shift);
    }
    render();
  });

  const frameCamera = (): void => {
    const box = shown.box();
    reach = Math.max(0.3, box.getSize(new Vector3()).length() / 2);
    const last = shown.replay.frames - 1;
    follow = shown.centre(0).setZ(0).distanceTo(shown.centre(last).setZ(0)) > 1.2 * reach;
    grid.visible = follow;
    controls.target.copy(follow ? shown.centre(0) : box.getCenter(new Vector3()));
    // As near as possible with every corner in the picture.
    const corners = cornersOf(box);
    const room = follow ? 0.7 : 0.94; // a walker jumps
    for (let distance = reach; distance < 20 * reach; distance *= 1.04) {
      camera.position.copy(controls.target).addScaledVector(VIEW_FROM, distance);
      camera.lookAt(controls.target);
      camera.updateMatrixWorld();
      const seen = corners.map((corner) => corner.clone().project(camera));
      if (seen.every(({ x, y, z }) => Math.abs(x) < room && Math.abs(y) < room && z < 1)) break;
    }
    sun.position.copy(controls.target).add(new Vector3(0.6, -0.8, 2).multiplyScalar(reach * 2));
    sun.target.position.copy(controls.target);
    Object.assign(sun.shadow.camera, {
      left: -2 * reach,
      right: 2 * reach,
      top: 2 * reach,
      bottom: -2 * reach,
      near: 0.01,
      far: reach * 9,
    });
    sun.shadow.camera.updateProjectionMatrix();
    controls.update();
  };
  const choose = (index: number): void => {
    scene.remove(shown.group);
    shown = episodes[index]!;
    scene.add(shown.group);
    player.load(shown.replay.frames, shown.replay.stepSeconds);
    if (follow) frameCamera();
    render();
  };
  const buttons = [...figure.querySelectorAll<HTMLButtonElement>('[data-replay]')];
  for (const button of buttons)
    button.addEventListener('click', () => {
      for (const other of buttons) other.setAttribute('aria-pressed', String(other === button));
      choose(Number(button.dataset.replay));
    });

  const paint = (): void => {
    for (const episode of episodes) episode.paintGround(themeColour('--wall'));
    for (const material of [grid.material].flat()) {
      material.color.set(themeColour('--soft'));
      material.vertexColors = false;
      material.transparent = true;
      material.opacity = 0.22;
      material.needsUpdate = true;
    }
    render();
  };
  onTheme(paint);
  const resize = (): void => {
    renderer.setSize(stage.clientWidth, stage.clientHeight);
    camera.aspect = stage.clientWidth / Math.max(1, stage.clientHeight);
    camera.updateProjectionMatrix();
  };
  resize();
  new ResizeObserver(() => {
    resize();
    render();
  }).observe(stage);
  scene.add(shown.group);
  frameCamera();
  paint();
}

startScene();
