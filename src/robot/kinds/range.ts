import { emptyMessage, type LaserScan, type Range } from '../../messages/index.js';

const empty = emptyMessage('sensor_msgs/msg/LaserScan');

/** A range of one beam (sonar, infrared) as a scan, so that infinite and NaN ranges mean what REP 117 says. */
export function rangeAsScan({ header, min_range, max_range, range }: Range): LaserScan {
  return { ...empty, header, range_min: min_range, range_max: max_range, ranges: [range] };
}
