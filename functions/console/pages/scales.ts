/** The parts of D3 that plots are computed with, named so that a bundle holds no others; chart.ts loads this when it draws. */
export { scaleBand, scaleLinear } from 'd3-scale';
export { stack } from 'd3-shape';
