/** The description of what time-machine.ts adds to the API. */
import * as z from 'zod';
import { suggestionsQuery } from '../time-machine.ts';
import type { Operation } from './request.ts';

export const suggestionOperations: readonly Operation[] = [
  {
    method: 'get',
    path: '/api/v1/suggestions',
    summary:
      'Issues that are consistently noise, with what ignoring them would have done; nothing acts on them',
    query: suggestionsQuery,
    answers: {
      200: {
        meaning: 'At most 20 suggestions',
        schema: z.object({
          suggestions: z.array(
            z.looseObject({ pattern: z.string(), alertname: z.string(), severity: z.string() }),
          ),
        }),
      },
    },
  },
];
