/**
 * What comes over Direct Line, as far as a page shows it. The server writes
 * activities for any client; the same ones are read here, on the server when
 * the page is rendered there, and in the browser.
 */
import * as z from 'zod/mini';

const Action = z.object({ title: z.optional(z.string()), value: z.unknown(), type: z.optional(z.string()) });
const Attachment = z.object({ contentType: z.string(), content: z.optional(z.unknown()) });
const Claim = z.object({ appearance: z.object({ name: z.string(), text: z.optional(z.string()) }) });

/** What cannot be read of an activity is left out; one without an id or a sender is not shown at all. */
const lenient = <Shape extends z.core.SomeType>(shape: Shape) => z.catch(z.optional(shape), () => undefined);

export const Activity = z.object({
  id: z.string(),
  type: z.string(),
  timestamp: lenient(z.string()),
  from: z.object({ role: lenient(z.string()), name: lenient(z.string()) }),
  text: lenient(z.string()),
  entities: lenient(z.array(z.object({ citation: lenient(z.array(Claim)) }))),
  suggestedActions: lenient(z.object({ actions: z.array(Action) })),
  attachments: lenient(z.array(Attachment)),
  channelData: lenient(
    z.object({
      clientActivityID: lenient(z.string()),
      clears: lenient(z.boolean()),
      now: lenient(z.object({ speaker: z.enum(['bot', 'queue', 'agent']), name: lenient(z.string()) })),
    }),
  ),
});

export type Activity = z.infer<typeof Activity>;
export type Attachment = z.infer<typeof Attachment>;

/** Where an activity stands in its conversation. Its id ends with that. */
export const placeIn = ({ id }: Pick<Activity, 'id'>): number => Number(/\|(\d+)$/.exec(id)?.[1] ?? Number.NaN);

/** Of a message, in characters. A long e-mail is welcome, a book is not. */
export const LONGEST_TEXT = 10_000;

export const isOwn = ({ from }: Pick<Activity, 'from'>): boolean => from.role === 'user';

/** Who answers now. */
export const speakerNow = (activities: readonly Activity[]) =>
  activities.findLast(({ channelData }) => channelData?.now !== undefined)?.channelData?.now ??
  ({ speaker: 'bot' } as const);

/** The answers that are offered, as text to be said. */
export const suggestionsOf = ({ suggestedActions }: Activity): string[] =>
  (suggestedActions?.actions ?? []).flatMap(({ value, title }) => (typeof value === 'string' ? value : (title ?? [])));
