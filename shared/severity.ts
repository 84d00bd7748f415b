/**
 * Severity as this project knows it. Senders spell it in many ways; an unknown spelling is kept apart and never held back.
 */

/** From loudest to quietest; `unknown` counts as loud as `warning` wherever a threshold is applied. */
export const SEVERITIES = ['critical', 'warning', 'info', 'none', 'unknown'] as const;
export type Severity = (typeof SEVERITIES)[number];
