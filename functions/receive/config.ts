/** What receive reads from its environment. */
import * as z from 'zod';
import { captureWindowConfig } from '../../shared/capture-window-config.ts';
import { digestSchedule } from '../../shared/digest-schedule.ts';
import { baseConfig, databaseConfig, durationMs, flag } from '../../shared/env.ts';

const SECRET = 'must be at least 16 characters, e.g. from `openssl rand -hex 24`';

export const configSchema = z
  .object({
    ...baseConfig.shape,
    ...databaseConfig.shape,
    ...captureWindowConfig.shape,
    ...digestSchedule.shape,
    /** Up to two tokens, comma separated, so that one can be rotated. */
    RECEIVE_TOKEN: z
      .string()
      .transform((value) => value.split(',').map((token) => token.trim()))
      .pipe(z.array(z.string().min(16, SECRET)).max(2, 'takes at most two tokens'))
      .optional(),
    RECEIVE_BASIC_AUTH: z
      .string()
      .regex(/^[^:]+:.{8,}$/, 'must be user:password with a password of at least 8 characters')
      .optional(),
    ALLOW_UNAUTHENTICATED: flag(false),
    HEARTBEAT_ALERTNAMES: z
      .string()
      .default('Watchdog,DeadMansSwitch')
      .transform((value) => new Set(value.split(',').map((name) => name.trim()))),
    HEARTBEAT_URL: z
      .url({ protocol: /^https?$/, error: 'must be a URL, e.g. https://hc-ping.com/…' })
      .optional(),
    /** Alertmanager's repeat_interval; an alert unseen for twice as long is stale. */
    ALERT_REPEAT_INTERVAL: durationMs('4h'),
    ALERT_RETENTION_DAYS: z.coerce
      .number()
      .int()
      .min(1, 'must be at least 1, e.g. 30')
      .max(3_650)
      .default(30),
    DIGEST_RETENTION_DAYS: z.coerce
      .number()
      .int()
      .min(1, 'must be at least 1, e.g. 400')
      .max(3_650)
      .default(400),
    /** Where the sweep reaches a function when the broker is down; `{function}` is replaced by its name. */
    FUNCTION_URL: z
      .string()
      .regex(
        /^https?:\/\/.*\{function\}/,
        'must be a URL with {function}, e.g. http://{function}.alertgest.svc.cluster.local',
      )
      .optional(),
    SWEEP_RECEIVED_AFTER: durationMs('60s'),
    SWEEP_CLASSIFIED_AFTER: durationMs('2m'),
    SWEEP_ADMITTED_AFTER: durationMs('60s'),
  })
  .refine(
    (config) =>
      config.RECEIVE_TOKEN !== undefined ||
      config.RECEIVE_BASIC_AUTH !== undefined ||
      config.ALLOW_UNAUTHENTICATED,
    {
      path: ['RECEIVE_TOKEN'],
      message:
        'must be set (or RECEIVE_BASIC_AUTH; or, to accept alerts from anyone, ALLOW_UNAUTHENTICATED=true)',
    },
  );

export type Config = z.infer<typeof configSchema>;
