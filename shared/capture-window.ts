/**
 * The capture window ("the night"): from one wall-clock time to another in a zone, DST-correct. Consecutive windows
 * neither overlap nor leave a hole of their own making: each edge is one instant, the first that the wall clock shows.
 * Functions import this file on first use: the calendar takes longer to load than all else of build-digest.
 */
import { Temporal } from 'temporal-polyfill';
import type { CaptureWindow, CaptureWindowConfig } from './capture-window-config.ts';

/** A window of 24 hours whose clock is set back, and an hour to spare. */
const LONGEST_WINDOW_MS = 26 * 3_600_000;

/** The last window that had ended at `at`. */
export function lastClosedWindow(config: CaptureWindowConfig, at: Date): CaptureWindow {
  const zone = config.CAPTURE_WINDOW_TIMEZONE;
  const local = Temporal.Instant.fromEpochMilliseconds(at.getTime()).toZonedDateTimeISO(zone);
  for (let daysBack = 0; ; daysBack++) {
    const day = local.toPlainDate().subtract({ days: daysBack });
    const end = instantOf(day, config.CAPTURE_WINDOW_END, zone);
    if (end > at) continue;
    const overMidnight = config.CAPTURE_WINDOW_START >= config.CAPTURE_WINDOW_END;
    const start = instantOf(
      overMidnight ? day.subtract({ days: 1 }) : day,
      config.CAPTURE_WINDOW_START,
      zone,
    );
    // A clock change may leave nothing of a short window.
    if (start < end) return { start, end, zone };
  }
}

/** The windows that touch a span, oldest first; the same as capture_windows_between of the database. */
export function windowsBetween(config: CaptureWindowConfig, since: Date, until: Date): CaptureWindow[] {
  const windows: CaptureWindow[] = [];
  let window = lastClosedWindow(config, new Date(until.getTime() + LONGEST_WINDOW_MS));
  while (window.end > since) {
    if (window.start <= until) windows.push(window);
    window = lastClosedWindow(config, new Date(window.end.getTime() - 1));
  }
  return windows.toReversed();
}

/** A wall-clock time as an instant. In a gap: the first instant after it; in a fold: the first of the two. */
function instantOf(day: Temporal.PlainDate, time: string, zone: string): Date {
  const zoned = day
    .toPlainDateTime(Temporal.PlainTime.from(time))
    .toZonedDateTime(zone, { disambiguation: 'earlier' });
  const skipped = zoned.toPlainTime().toString({ smallestUnit: 'minute' }) !== time;
  const instant = skipped ? (zoned.getTimeZoneTransition('next') ?? zoned) : zoned;
  return new Date(instant.epochMilliseconds);
}
