/**
 * What a deployment decides for itself, read from the environment.
 *
 * The guidance gives no number, address or link, so those of the servicedesk
 * and its neighbours are set here or not said at all.
 */
import { z } from 'zod';
import type { ContactDetails } from './wording.ts';

export type Settings = { contacts: ContactDetails; hasColour: boolean };

const Contact = z
  .string()
  .trim()
  .min(1, 'is empty; leave it out instead')
  .max(200, 'is longer than 200 characters')
  .regex(/^[^\p{Cc}{}<>]*$/u, 'holds a line break, a brace or an angle bracket')
  .optional();

const Environment = z.object({
  KORTLOTSEN_SERVICEDESK: Contact,
  KORTLOTSEN_IT_PORTAL: Contact,
  KORTLOTSEN_BOOKING_CALENDAR: Contact,
  NO_COLOR: z.string().optional(),
});

/** Throws one error with every complaint. The values themselves are not repeated in it. */
export function readSettings(environment: Record<string, string | undefined>): Settings {
  const { data, error } = Environment.safeParse(environment);
  if (!data) {
    const complaints = error.issues.map(({ path, message }) => `  ${path.join('.')} ${message}`);
    throw new Error(`The settings cannot be used:\n${complaints.join('\n')}`);
  }
  const { KORTLOTSEN_SERVICEDESK, KORTLOTSEN_IT_PORTAL, KORTLOTSEN_BOOKING_CALENDAR, NO_COLOR } = data;
  return {
    contacts: {
      ...(KORTLOTSEN_SERVICEDESK && { servicedesk: KORTLOTSEN_SERVICEDESK }),
      ...(KORTLOTSEN_IT_PORTAL && { itPortal: KORTLOTSEN_IT_PORTAL }),
      ...(KORTLOTSEN_BOOKING_CALENDAR && { bookingCalendar: KORTLOTSEN_BOOKING_CALENDAR }),
    },
    hasColour: !NO_COLOR,
  };
}
