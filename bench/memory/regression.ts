/** Fits a line by least squares. Gives its slope with the standard error, under the assumption of independent residuals. */
export function lineThrough(points: readonly (readonly [x: number, y: number])[]): { slope: number; error: number } {
  const n = points.length;
  const mean = (pick: (point: readonly [number, number]) => number): number =>
    points.reduce((sum, point) => sum + pick(point), 0) / n;
  const [centreX, centreY] = [mean(([x]) => x), mean(([, y]) => y)];
  const spread = points.reduce((sum, [x]) => sum + (x - centreX) ** 2, 0);
  const slope = points.reduce((sum, [x, y]) => sum + (x - centreX) * (y - centreY), 0) / spread;
  const residuals = points.reduce((sum, [x, y]) => sum + (y - centreY - slope * (x - centreX)) ** 2, 0);
  return { slope, error: Math.sqrt(residuals / Math.max(1, n - 2) / spread) };
}
