/** Variables of every function that asks the model; the names are those the users proposed. */
import * as z from 'zod';
import { flag, integer } from './env.ts';

export const modelConfig = z.object({
  /** `false` asks no model whatever else is set; without OLLAMA_BASE_URL none is asked either. */
  LLM_ENABLED: flag(true),
  OLLAMA_BASE_URL: z
    .url({
      protocol: /^https?$/,
      error: 'must be the URL of Ollama, e.g. http://ollama.alertgest.svc.cluster.local:11434',
    })
    .optional(),
  OLLAMA_MODEL: z.string().default('llama3.1:8b'),
  /** Asked when the first one is missing, refuses or answers nonsense. */
  OLLAMA_FALLBACK_MODEL: z.string().default('mistral:7b'),
  /** Context window in tokens; Ollama's own default depends on the machine. */
  OLLAMA_NUM_CTX: integer(4096, 1024, 131_072),
  OLLAMA_TEMPERATURE: z
    .string()
    .optional()
    .transform((value) => Number(value ?? '0.3'))
    .pipe(z.number('must be a number from 0 to 2, e.g. 0.3').min(0).max(2)),
  OLLAMA_SEED: integer(42, 0, 2_147_483_647),
  /** How long the model stays loaded after a question. */
  OLLAMA_KEEP_ALIVE: z.string().default('10m'),
  /** `true` lets sentences of alerts, events and logs into prompts; else only known words of them. */
  LLM_INCLUDE_TEXT: flag(false),
  /** Questions at once over all instances; a model on processors answers one at a time anyway. */
  LLM_MAX_CONCURRENCY: integer(1, 1, 16),
});

/** The settings of a model that is to be asked; null when none is. */
export function toModelSettings(config: z.infer<typeof modelConfig>): ModelSettings | null {
  if (!config.LLM_ENABLED || config.OLLAMA_BASE_URL === undefined) return null;
  return {
    baseUrl: config.OLLAMA_BASE_URL.replace(/\/+$/, ''),
    model: config.OLLAMA_MODEL,
    fallback: config.OLLAMA_FALLBACK_MODEL,
    numCtx: config.OLLAMA_NUM_CTX,
    temperature: config.OLLAMA_TEMPERATURE,
    seed: config.OLLAMA_SEED,
    keepAlive: config.OLLAMA_KEEP_ALIVE,
    includeText: config.LLM_INCLUDE_TEXT,
    maxConcurrency: config.LLM_MAX_CONCURRENCY,
  };
}

/** Where the model is and how it is asked. */
export interface ModelSettings {
  readonly baseUrl: string;
  readonly model: string;
  readonly fallback: string;
  readonly numCtx: number;
  readonly temperature: number;
  readonly seed: number;
  readonly keepAlive: string;
  readonly includeText: boolean;
  readonly maxConcurrency: number;
}
