/**
 * What a deployment decides for itself, read from the environment.
 *
 * The guidance gives no number, address or link, so those of the servicedesk
 * and its neighbours are set here or not said at all.
 */
import { z } from 'zod';
import type { BotCredentials } from './channels/bot-framework/adapter.ts';
import { StartupProblem } from './startup-problem.ts';
import type { ContactDetails } from './wording.ts';

export type Settings = {
  contacts: ContactDetails;
  hasColour: boolean;
  isProduction: boolean;
  host: string;
  port: number;
  /** Where students reach us, without a slash at the end. Nothing: where we listen. */
  publicUrl: string | undefined;
  /** Nothing: a database of our own, in the data folder. */
  databaseUrl: string | undefined;
  dataFolder: string;
  directLineSecret: string | undefined;
  bot: BotCredentials | undefined;
  logLevel: string;
};

const Contact = z
  .string()
  .trim()
  .min(1, 'is empty; leave it out instead')
  .max(200, 'is longer than 200 characters')
  .regex(/^[^\p{Cc}{}<>]*$/u, 'holds a line break, a brace or an angle bracket')
  .optional();

const LOOPBACK = ['127.0.0.1', '::1', 'localhost'];
const Uuid = z.uuid('is no id as the Bot Framework writes them');

const Environment = z
  .object({
    KORTLOTSEN_SERVICEDESK: Contact,
    KORTLOTSEN_IT_PORTAL: Contact,
    KORTLOTSEN_BOOKING_CALENDAR: Contact,
    KORTLOTSEN_PUBLIC_URL: z
      .url({ protocol: /^https?$/, error: 'is no address; write it as https://kortlotsen.example.se' })
      .transform((url) => url.replace(/\/+$/, ''))
      .optional(),
    KORTLOTSEN_DATA: z.string().min(1, 'is empty; leave it out instead').default('data'),
    DATABASE_URL: z
      .string()
      .refine(
        (url) => /^postgres(ql)?:\/\/./.test(url) && URL.canParse(url),
        'is no address of PostgreSQL; write it as postgresql://user:password@host:5432/database',
      )
      .optional(),
    HOST: z.string().min(1, 'is empty; leave it out instead').default('127.0.0.1'),
    PORT: z.coerce.number('is no port').int('is no port').min(0, 'is no port').max(65_535, 'is no port').default(3978),
    NODE_ENV: z
      .enum(['production', 'development', 'test'], 'is neither production, development nor test')
      .default('development'),
    DIRECT_LINE_SECRET: z.string().min(32, 'is shorter than 32 characters').optional(),
    MicrosoftAppId: Uuid.optional(),
    MicrosoftAppType: z
      .enum(['SingleTenant'], 'is not SingleTenant, which is the only type we take')
      .default('SingleTenant'),
    MicrosoftAppTenantId: Uuid.optional(),
    MicrosoftAppPassword: z.string().min(1, 'is empty; leave it out instead').optional(),
    LOG_LEVEL: z
      .enum(['debug', 'info', 'warn', 'error', 'silent'], 'is none of debug, info, warn, error, silent')
      .default('info'),
    NO_COLOR: z.string().optional(),
  })
  .superRefine((settings, context) => {
    const complain = (path: string, message: string) => {
      context.addIssue({ code: 'custom', path: [path], message });
    };
    const { NODE_ENV, HOST, MicrosoftAppId, MicrosoftAppTenantId, MicrosoftAppPassword } = settings;
    if (!LOOPBACK.includes(HOST) && NODE_ENV !== 'production') {
      complain('HOST', 'can be reached by others, which only NODE_ENV=production may');
    }
    if (NODE_ENV === 'production' && !settings.KORTLOTSEN_PUBLIC_URL) {
      complain('KORTLOTSEN_PUBLIC_URL', 'is missing, and production needs it');
    }
    if (MicrosoftAppId && !MicrosoftAppTenantId)
      complain('MicrosoftAppTenantId', 'is missing, and MicrosoftAppId needs it');
    if (MicrosoftAppId && !MicrosoftAppPassword)
      complain('MicrosoftAppPassword', 'is missing, and MicrosoftAppId needs it');
    if (!MicrosoftAppId && MicrosoftAppPassword)
      complain('MicrosoftAppId', 'is missing, and MicrosoftAppPassword is nothing without it');
  });

/** Throws one problem with every complaint. The values themselves are not repeated in it. */
export function readSettings(environment: Record<string, string | undefined>): Settings {
  const { data, error } = Environment.safeParse(environment);
  if (!data) {
    const complaints = error.issues.map(({ path, message }) => `  ${path.join('.')} ${message}`);
    throw new StartupProblem('settingsAreWrong', `The settings cannot be used:\n${complaints.join('\n')}`);
  }
  const { KORTLOTSEN_SERVICEDESK, KORTLOTSEN_IT_PORTAL, KORTLOTSEN_BOOKING_CALENDAR } = data;
  const { MicrosoftAppId, MicrosoftAppType, MicrosoftAppTenantId = '', MicrosoftAppPassword = '' } = data;
  return {
    contacts: {
      ...(KORTLOTSEN_SERVICEDESK && { servicedesk: KORTLOTSEN_SERVICEDESK }),
      ...(KORTLOTSEN_IT_PORTAL && { itPortal: KORTLOTSEN_IT_PORTAL }),
      ...(KORTLOTSEN_BOOKING_CALENDAR && { bookingCalendar: KORTLOTSEN_BOOKING_CALENDAR }),
    },
    hasColour: !data.NO_COLOR,
    isProduction: data.NODE_ENV === 'production',
    host: data.HOST,
    port: data.PORT,
    publicUrl: data.KORTLOTSEN_PUBLIC_URL,
    databaseUrl: data.DATABASE_URL,
    dataFolder: data.KORTLOTSEN_DATA,
    directLineSecret: data.DIRECT_LINE_SECRET,
    bot: MicrosoftAppId ? { MicrosoftAppId, MicrosoftAppType, MicrosoftAppTenantId, MicrosoftAppPassword } : undefined,
    logLevel: data.LOG_LEVEL,
  };
}
