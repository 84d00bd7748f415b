/** The variables of the capture window ("the night"), apart from its calendar so that they cost nothing at start. */
import * as z from 'zod';

export interface CaptureWindow {
  readonly start: Date;
  readonly end: Date;
  readonly zone: string;
}

const clockTime = z.string().regex(/^([01]\d|2[0-3]):[0-5]\d$/, 'must be a time of day, e.g. 18:00');

/** The variables that describe the window, under the users' names. */
export const captureWindowConfig = z.object({
  CAPTURE_WINDOW_START: clockTime.default('18:00'),
  CAPTURE_WINDOW_END: clockTime.default('08:00'),
  CAPTURE_WINDOW_TIMEZONE: z
    .string()
    .default('Europe/London')
    .refine(isZone, 'must be an IANA time zone, e.g. Europe/London'),
});

export type CaptureWindowConfig = z.infer<typeof captureWindowConfig>;

function isZone(zone: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: zone }).resolvedOptions().timeZone !== '';
  } catch {
    return false;
  }
}
