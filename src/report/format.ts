/** A number for people: about three significant digits (of `scale`, where the value is small beside it), a real minus sign. */
export function figure(value: number, scale = value): string {
  if (!Number.isFinite(value)) return '–';
  if (value === 0) return '0';
  const magnitude = Math.max(Math.abs(value), Math.abs(scale));
  const digits = magnitude >= 100 ? 0 : magnitude >= 10 ? 1 : magnitude >= 1 ? 2 : 3;
  return value
    .toFixed(digits)
    .replace(/^-(?=0\.?0*$)/, '')
    .replace('-', '−');
}

/** A round number on an axis, without trailing zeros. */
export function tick(value: number): string {
  return String(Number(value.toPrecision(6))).replace('-', '−');
}

/** A mean and a standard deviation as 'mean ± sd', with the same number of digits. */
export function meanAndDeviation({ mean, deviation }: { readonly mean: number; readonly deviation: number }): string {
  return `${figure(mean, deviation)} ± ${figure(deviation, mean)}`;
}

export function percent(fraction: number): string {
  return `${(100 * fraction).toFixed(fraction > 0 && fraction < 1 && Math.abs(fraction - 0.5) > 0.49 ? 1 : 0)} %`;
}

/** 95 s → '1 min 35 s' */
export function duration(seconds: number): string {
  const total = Math.round(seconds);
  if (total < 60) return seconds < 10 ? `${seconds.toFixed(1)} s` : `${total} s`;
  const minutes = Math.floor(total / 60);
  return minutes < 60 ? `${minutes} min ${total % 60} s` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** 12345 → '12 345' */
export function count(value: number): string {
  return String(Math.round(value)).replace(/\B(?=(\d{3})+$)/g, '\u202f');
}
