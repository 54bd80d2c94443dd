import type { TopViewScene } from '../simulation/index.js';

/** Who or what drives the robot in an evaluation, as data: a report shows every candidate that it is given. */
export interface ReportCandidate {
  /** Names the candidate in all other data; also a class and part of a variable's name in CSS: small letters, digits and hyphens. */
  readonly id: string;
  /** The name that a reader sees. */
  readonly label: string;
  /**
   * The report is about the `learned` policy. It is compared with the `expert` that demonstrated, with `baseline` policies
   * and with `chance`, which takes random actions.
   */
  readonly role: 'expert' | 'learned' | 'baseline' | 'chance';
  /** A colour as #rrggbb for the light and for the dark theme. */
  readonly colour: { readonly light: string; readonly dark: string };
}

/** One evaluated episode, from a fresh start. */
export interface EpisodeResult {
  readonly seed: number;
  /** Sum of the task's own rewards. */
  readonly return: number;
  /** Number of steps. */
  readonly length: number;
  readonly success: boolean;
  /** Whether a true terminal state ended it, such as a fall; absent in reports of earlier versions. */
  readonly terminated?: boolean;
}

/** The evaluation of one candidate. `policy` is the id of a candidate, here and in everything below. */
export interface PolicyResult {
  readonly policy: string;
  readonly episodes: readonly EpisodeResult[];
}

/** The state of learning after one segment of transitions. */
export interface LearningPoint {
  /** Seconds since learning began. */
  readonly seconds: number;
  /** Own transitions of the policy so far. */
  readonly transitions: number;
  readonly updates: number;
  /** Means over the segment's updates, by the learner's names: train/critic_loss… */
  readonly metrics: Readonly<Record<string, number>>;
}

/** An episode that the policy drove while it learned. It explores (its actions are sampled), so it drives worse than it could. */
export interface RolloutPoint {
  readonly seconds: number;
  readonly transitions: number;
  readonly return: number;
  readonly length: number;
  readonly success: boolean;
}

/**
 * A policy of the run that was compared with the demonstrations: along the run, or again (`final`) at its end, the one
 * that was chosen first.
 */
export interface ChoicePoint {
  /** Own transitions of the policy when it was taken. */
  readonly transitions: number;
  /** Of the policies whose mean it is, where it is one. */
  readonly meanOf?: readonly number[] | undefined;
  /** Distance of what it did from the demonstrations, over all of its episodes and over the worst fifth of them. */
  readonly distance: number;
  readonly worst: number;
  readonly episodes: number;
  /** Mean return that the task paid. */
  readonly return: number;
  readonly final: boolean;
}

export interface LearningCurves {
  readonly points: readonly LearningPoint[];
  readonly rollouts: readonly RolloutPoint[];
  /** Absent where no policies were compared. */
  readonly choice?: readonly ChoicePoint[];
}

/** Recovered and true reward at each step of one episode. */
export interface RewardTrace {
  readonly policy: string;
  readonly seed: number;
  readonly recovered: readonly number[];
  /** The task's own reward, which learning does not use. */
  readonly task: readonly number[];
}

/** The path of one episode seen from above, one entry a step. Metres, radians. */
export interface Path {
  readonly policy: string;
  readonly success: boolean;
  readonly x: readonly number[];
  readonly y: readonly number[];
  readonly yaw: readonly number[];
}

/** The arena of a vehicle seen from above, and the paths driven from some starts. Metres. */
export interface TopView extends TopViewScene {
  readonly stepSeconds: number;
  readonly starts: readonly {
    readonly seed: number;
    readonly goal: readonly [number, number];
    readonly paths: readonly Path[];
  }[];
}

/** An episode as moving bodies for the 3-D view; `sceneReplay` makes it. */
export interface SceneReplay {
  readonly policy: string;
  readonly seed: number;
  readonly success: boolean;
  readonly stepSeconds: number;
  readonly bodies: readonly {
    readonly name: string;
    readonly shape: 'plane' | 'sphere' | 'capsule' | 'ellipsoid' | 'cylinder' | 'box';
    /** MuJoCo's half sizes, metres. */
    readonly size: readonly number[];
    readonly rgba: readonly number[];
    /** x, y, z and quaternion x, y, z, w: once for a body that stands still, else for every frame in turn. */
    readonly poses: readonly number[];
  }[];
  readonly frames: number;
}

export interface Setting {
  readonly name: string;
  readonly value: string | number | boolean;
}

/** Everything that a report shows. It can be written as JSON: `report.json` holds it beside `report.html`. */
export interface ReportData {
  readonly format: 'iq_learn report 1';
  readonly robot: string;
  readonly description: string;
  /** Whether the task defines success. Where it does not, only returns are shown. */
  readonly hasSuccess: boolean;
  /** ISO 8601, UTC. */
  readonly date: string;
  readonly seconds: number;
  readonly demonstrations: { readonly episodes: number; readonly transitions: number; readonly seconds: number };
  /** All candidates of the report, in the order in which they are shown. */
  readonly candidates: readonly ReportCandidate[];
  readonly results: readonly PolicyResult[];
  /** The same policies in the task as it was shown, where demonstrations had another form than the evaluated episodes. */
  readonly asShown?: readonly PolicyResult[];
  readonly learning: LearningCurves;
  readonly rewards: readonly RewardTrace[];
  readonly topView: TopView | null;
  readonly replays: readonly SceneReplay[];
  readonly settings: readonly Setting[];
  readonly versions: Readonly<Record<string, string>>;
  readonly machine: string;
  /** The command that repeats this run. */
  readonly command: string;
  /** What the reader must know beside the numbers, for example that the run was interrupted. */
  readonly notes: readonly string[];
}

/** The label of the candidate with this id. */
export function labelOf({ candidates }: Pick<ReportData, 'candidates'>, id: string): string {
  return candidates.find((candidate) => candidate.id === id)?.label ?? id;
}

/** The name of the CSS variable that holds a candidate's colour. */
export const colourVariable = (id: string): string => `--candidate-${id}`;
