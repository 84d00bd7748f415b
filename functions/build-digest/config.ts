/** What build-digest reads from its environment. */
import * as z from 'zod';
import { captureWindowConfig } from '../../shared/capture-window-config.ts';
import { digestSchedule } from '../../shared/digest-schedule.ts';
import { clusterConfig } from '../../shared/cluster-config.ts';
import { baseConfig, databaseConfig } from '../../shared/env.ts';
import { modelConfig } from '../../shared/model-config.ts';

export const configSchema = z.object({
  ...baseConfig.shape,
  ...databaseConfig.shape,
  ...captureWindowConfig.shape,
  DIGEST_GRACE: digestSchedule.shape.DIGEST_GRACE,
  /** The routes file, as notify reads it; its digests say which teams have one of their own. */
  ROUTES: z.string().optional(),
  /** Where to ask what fired and never arrived; without it nothing is compared. */
  PROMETHEUS_URL: z
    .url({ protocol: /^https?$/, error: 'must be a URL, e.g. http://prometheus:9090' })
    .optional(),
  ...clusterConfig.shape,
  ...modelConfig.shape,
});
