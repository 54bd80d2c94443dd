import {
  Box3,
  BoxGeometry,
  type BufferGeometry,
  CapsuleGeometry,
  Color,
  CylinderGeometry,
  Group,
  Mesh,
  MeshStandardMaterial,
  PlaneGeometry,
  SphereGeometry,
  Vector3,
} from 'three';
import type { SceneReplay } from '../data.js';

type Body = SceneReplay['bodies'][number];

/** Half the side of a plane without limits, metres. */
export const GROUND = 20;

/** MuJoCo's shapes stand along z; three's capsules and cylinders along y. */
function geometryOf({ shape, size }: Body, index: number): BufferGeometry {
  const [a = 0, b = 0, c = 0] = size;
  // In a joint the ends of two links are the same sphere. A slight difference of size avoids flicker between the two.
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
export class Episode {
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
      this.#meshes[i]!.position.fromArray(poses, at);
      this.#meshes[i]!.quaternion.fromArray(poses, at + 3);
    });
  }

  /** The centre of the moving bodies in a frame, which the camera looks at. Metres. */
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
