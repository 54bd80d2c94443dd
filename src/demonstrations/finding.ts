/** A property of demonstrations that makes learning fail (`error`), may do so (`warn`), or should be known (`note`). */
export interface Finding {
  readonly level: 'error' | 'warn' | 'note';
  /** For programs. */
  readonly check:
    | 'none'
    | 'shape'
    | 'empty'
    | 'not finite'
    | 'constant action'
    | 'unused action'
    | 'never moving'
    | 'beyond limits'
    | 'saturated'
    | 'mixed rates'
    | 'mostly missing'
    | 'too few'
    | 'failures'
    | 'idle beginning'
    | 'coarse numbers'
    | 'unchanging features'
    | 'unchanging image'
    | 'frozen sensor'
    | 'changing topic'
    | 'zero velocities'
    | 'jumping position'
    | 'echo of the command'
    | 'contradicting demonstrations'
    | 'another unit'
    | 'unread commands'
    | 'commands by turns';
  /** The episode that it is about; null for all of them together. */
  readonly source: string | null;
  readonly found: string;
  readonly expected: string;
  readonly remedy: string;
}
