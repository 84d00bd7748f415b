/** When digests are due, apart from its arithmetic, which is loaded when a window is owed. */
import * as z from 'zod';
import { durationMs } from './env.ts';

/** The variables of the schedule, under the users' names; the PingSource `digest` says the same. */
export const digestSchedule = z.object({
  DIGEST_CRON: z
    .string()
    .regex(/^(@[a-z]+|(\S+\s+){4,5}\S+)$/, 'must be a cron expression, e.g. 0 8 * * 1-5')
    .default('0 8 * * 1-5'),
  DIGEST_TIMEZONE: z.string().default('Europe/London'),
  /** A window is counted this long after its end, so that what is on its way gets in. */
  DIGEST_GRACE: durationMs('5m'),
});

export type DigestSchedule = z.infer<typeof digestSchedule>;

/** Whether a digest of a window that ended at `end` should exist at `now`: its tick came, and the grace is over. */
export async function isDigestDue(schedule: DigestSchedule, end: Date, now: Date): Promise<boolean> {
  if (end.getTime() + schedule.DIGEST_GRACE > now.getTime()) return false;
  const { nextTick, parseCron } = await import('./cron.ts');
  const tick = nextTick(
    parseCron(schedule.DIGEST_CRON),
    new Date(end.getTime() - 1_000),
    schedule.DIGEST_TIMEZONE,
  );
  return tick !== undefined && tick.getTime() + schedule.DIGEST_GRACE <= now.getTime();
}
