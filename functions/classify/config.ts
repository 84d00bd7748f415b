/** What classify reads from its environment. */
import * as z from 'zod';
import { clusterConfig } from '../../shared/cluster-config.ts';
import { baseConfig, databaseConfig, durationMs, integer } from '../../shared/env.ts';
import type { LokiOptions } from '../../shared/loki.ts';
import { modelConfig } from '../../shared/model-config.ts';

export const configSchema = z.object({
  ...baseConfig.shape,
  ...databaseConfig.shape,
  ...modelConfig.shape,
  ...clusterConfig.shape,
  /** For one explanation, both models and the repair together; shorter than the function's deadline. */
  EXPLAIN_TIMEOUT: durationMs('20s'),
  /** A delivery that is not critical waits at most this long for an explanation that is on its way. */
  EXPLAIN_WAIT: durationMs('15s'),
  LOKI_URL: z
    .url({ protocol: /^https?$/, error: 'must be the URL of Loki, e.g. http://loki.monitoring.svc:3100' })
    .optional(),
  LOKI_TOKEN: z.string().optional(),
  LOKI_USER: z.string().optional(),
  LOKI_PASSWORD: z.string().optional(),
  /** Tenant of a Loki that has several. */
  LOKI_TENANT: z.string().optional(),
  LOKI_MAX_LINES: integer(500, 1, 5_000),
});
export type Config = z.infer<typeof configSchema>;

/** Where Loki is; null when it is not to be asked. */
export function toLokiOptions(config: Config): LokiOptions | null {
  if (config.LOKI_URL === undefined) return null;
  return {
    url: config.LOKI_URL.replace(/\/+$/, ''),
    token: config.LOKI_TOKEN ?? null,
    user: config.LOKI_USER ?? null,
    password: config.LOKI_PASSWORD ?? null,
    tenant: config.LOKI_TENANT ?? null,
    maxLines: config.LOKI_MAX_LINES,
    timeoutMs: config.K8S_CONTEXT_TIMEOUT,
  };
}
