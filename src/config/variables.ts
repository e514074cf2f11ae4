import type { Definition } from './definition.ts';

const postgres = 'PostgreSQL (left out on a development machine: an embedded PostgreSQL starts)';
const redis = 'Redis (left out on a development machine: redis-server, valkey-server or a built-in one starts)';
const mail = 'Mail (left out on a development machine: mails are written to files)';
const alerts = 'Alerts (nothing is posted yet)';
const ai = 'AI documentation (no worker reads these yet)';
const storage = 'Object storage (left out: files under STORAGE_DIR, served by the API)';

/**
 * Every variable the backend reads, in the order of `.env.example` (which is written from this table; see example.ts).
 * Names are those of the requirements. Add one here only together with what reads it.
 */
export const variables = {
  NODE_ENV: {
    section: 'Process', kind: 'choice', choices: ['development', 'test', 'production'], default: 'development',
    description: 'With production nothing embedded ever starts and a missing setting is an error that names it.',
  },
  PORT: {
    section: 'Process', kind: 'integer', default: 4000, minimum: 1, maximum: 65_535,
    description: 'The port the API listens on.',
  },
  HOST: {
    section: 'Process', kind: 'text', default: '127.0.0.1',
    description: 'The address the API listens on. In a container: 0.0.0.0.',
  },
  BASE_URL: {
    section: 'Process', kind: 'url', default: null, protocols: ['http:', 'https:'], requiredFor: ['api', 'worker'],
    example: 'https://hivesync.example.com',
    description: 'Where clients and workers reach the API from outside, without /api/v1. Default: http://localhost:<PORT>.',
  },
  DATA_DIR: {
    section: 'Process', kind: 'path', default: '.hivesync',
    description: 'Where one machine keeps what it starts by itself: embedded databases, generated secrets, logs, files.',
  },
  TRUSTED_PROXIES: {
    section: 'Process', kind: 'list', default: [], maxItems: 64, example: '10.0.0.0/8,127.0.0.1',
    description: 'Addresses or CIDR ranges of reverse proxies whose X-Forwarded-* headers are believed. None by default.',
  },
  CORS_ORIGINS: {
    section: 'Process', kind: 'list', default: [], maxItems: 64, example: 'https://app.example.com',
    description: 'Origins that may call the API from a browser.',
  },
  CONTRACT_REFEREE: {
    section: 'Process', kind: 'switch', default: 'outside production',
    description: 'Checks every request and answer against the contract a second time. Costs 2-3 times a bare route.',
  },
  SHUTDOWN_TIMEOUT_MS: {
    section: 'Process', kind: 'integer', default: 25_000, minimum: 1_000, maximum: 600_000,
    description: 'The longest an ordered shutdown may take as a whole, in milliseconds; then the process ends as it is.',
  },

  JWT_SECRET: {
    section: 'Secrets', kind: 'kept secret', minLength: 32, requiredFor: ['api'],
    description: 'Signs access tokens, preview tokens and storage URLs (one derived key per purpose). At least 32 characters.',
  },
  JWT_SECRET_PREVIOUS: {
    section: 'Secrets', kind: 'secret', default: null, minLength: 32,
    description: 'The JWT_SECRET before this one: what it signed is accepted until it expires.',
  },
  ENCRYPTION_KEY: {
    section: 'Secrets', kind: 'kept secret', minLength: 43, key: true, requiredFor: ['api'],
    description: 'Encrypts stored credentials and webhook secrets (AES-256-GCM): 32 bytes in base64 or hex.',
  },
  ENCRYPTION_KEY_PREVIOUS: {
    section: 'Secrets', kind: 'secret', default: null, minLength: 43,
    description: 'The ENCRYPTION_KEY before this one: still opens what it sealed.',
  },
  WORKER_SHARED_SECRET: {
    section: 'Secrets', kind: 'kept secret', minLength: 32, requiredFor: ['api', 'worker'],
    description: 'Proves a worker when it registers. The same on the API and on every worker.',
  },

  DATABASE_URL: {
    section: postgres, kind: 'secret', default: null, minLength: 1,
    example: 'postgres://hivesync:password@db.example.com:5432/hivesync?sslmode=verify-full',
    description: 'The database as one URL. Either this or POSTGRES_*.',
  },
  POSTGRES_HOST: {
    section: postgres, kind: 'text', default: null,
    description: 'Host of the database.',
  },
  POSTGRES_PORT: {
    section: postgres, kind: 'integer', default: 5432, minimum: 1, maximum: 65_535,
    description: 'Port of the database.',
  },
  POSTGRES_USER: {
    section: postgres, kind: 'text', default: 'hivesync',
    description: 'User of the database.',
  },
  POSTGRES_PASSWORD: {
    section: postgres, kind: 'secret', default: null, minLength: 1,
    description: 'Password of the database.',
  },
  POSTGRES_DB: {
    section: postgres, kind: 'text', default: 'hivesync',
    description: 'Name of the database.',
  },
  POSTGRES_SSL: {
    section: postgres, kind: 'choice', choices: ['disable', 'require', 'verify-full'], default: 'disable',
    description: 'TLS to the database: require encrypts, verify-full also checks the certificate. sslmode in DATABASE_URL wins.',
  },
  POSTGRES_POOL_SIZE: {
    section: postgres, kind: 'integer', default: 10, minimum: 2, maximum: 200,
    description: 'The most connections one process opens, not counting the one that listens for notifications.',
  },
  POSTGRES_STATEMENT_TIMEOUT_MS: {
    section: postgres, kind: 'integer', default: 15_000, minimum: 100, maximum: 600_000,
    description: 'The longest one statement may run, in milliseconds.',
  },

  REDIS_URL: {
    section: redis, kind: 'secret', default: null, minLength: 1,
    example: 'rediss://:password@redis.example.com:6379/0',
    description: 'Redis as one URL (redis: or rediss:). Either this or REDIS_HOST.',
  },
  REDIS_HOST: {
    section: redis, kind: 'text', default: null,
    description: 'Host of Redis.',
  },
  REDIS_PORT: {
    section: redis, kind: 'integer', default: 6379, minimum: 1, maximum: 65_535,
    description: 'Port of Redis.',
  },
  REDIS_PASSWORD: {
    section: redis, kind: 'secret', default: null, minLength: 1,
    description: 'Password of Redis.',
  },

  R2_ENDPOINT: {
    section: storage, kind: 'url', default: null, protocols: ['http:', 'https:'],
    example: 'https://<account>.r2.cloudflarestorage.com',
    description: 'Endpoint of R2, S3 or any store that speaks its protocol.',
  },
  R2_BUCKET: {
    section: storage, kind: 'text', default: null,
    description: 'The bucket; it must exist.',
  },
  R2_ACCESS_KEY: {
    section: storage, kind: 'secret', default: null, minLength: 1,
    description: 'Access key id.',
  },
  R2_SECRET_KEY: {
    section: storage, kind: 'secret', default: null, minLength: 1,
    description: 'Secret access key.',
  },
  R2_REGION: {
    section: storage, kind: 'text', default: 'auto',
    description: 'Region of the bucket; auto for R2.',
  },
  STORAGE_DIR: {
    section: storage, kind: 'path', default: null,
    description: 'Where objects lie when there is no R2_ENDPOINT. Default: <DATA_DIR>/storage; in production it must be named.',
  },
  STORAGE_BASE_URL: {
    section: storage, kind: 'url', default: null, protocols: ['http:', 'https:'],
    description: 'An origin of its own from which objects under STORAGE_DIR are served. Default: BASE_URL, as attachments.',
  },

  EMAIL_PROVIDER: {
    section: mail, kind: 'choice', choices: ['console', 'resend', 'smtp'], default: 'console',
    description: 'Who sends mail. console writes it to <DATA_DIR>/mail, for a person to read, and is refused in production.',
  },
  EMAIL_FROM: {
    section: mail, kind: 'text', default: 'HiveSync <no-reply@localhost>',
    description: 'The sender of every mail: an address, or a name and an address in angle brackets.',
  },
  RESEND_API_KEY: {
    section: mail, kind: 'secret', default: null, minLength: 1,
    description: 'Needed by EMAIL_PROVIDER=resend. The domain of EMAIL_FROM must be verified there.',
  },
  SMTP_URL: {
    section: mail, kind: 'secret', default: null, minLength: 1, example: 'smtps://user:password@smtp.example.com:465',
    description: 'Needed by EMAIL_PROVIDER=smtp. smtps: is TLS from the start; smtp: with a password asks for STARTTLS.',
  },
  EMAIL_VERIFICATION: {
    section: mail, kind: 'choice', choices: ['required', 'off'], default: 'required',
    description: 'Whether an account may invite, share, search people or make API keys and webhooks only once its address is confirmed. Left out outside production: off.',
  },
  SLACK_WEBHOOK_URL: {
    section: alerts, kind: 'secret', default: null, minLength: 1,
    description: 'Where alerts are posted, beside mail to the admins.',
  },

  LOCAL_AI_ENABLED: {
    section: ai, kind: 'switch', default: false,
    description: 'Tries a local model before any other provider.',
  },
  LOCAL_AI_MODEL_PATH: {
    section: ai, kind: 'path', default: null, example: '/models/deepseek',
    description: 'A GGUF file, or a folder that holds one.',
  },
  OPENAI_API_KEY: {
    section: ai, kind: 'secret', default: null, minLength: 1,
    description: 'Key of the primary provider (OpenAI or compatible).',
  },
  OPENAI_BASE_URL: {
    section: ai, kind: 'url', default: 'https://api.openai.com/v1', protocols: ['http:', 'https:'],
    description: 'Base URL of the primary provider.',
  },
  OPENAI_MODEL: {
    section: ai, kind: 'text', default: 'gpt-4o-mini',
    description: 'Model of the primary provider.',
  },
  OPENAI_API_KEY_SECONDARY: {
    section: ai, kind: 'secret', default: null, minLength: 1,
    description: 'Key of the secondary provider, asked when the primary fails.',
  },
  OPENAI_BASE_URL_SECONDARY: {
    section: ai, kind: 'url', default: null, protocols: ['http:', 'https:'],
    description: 'Base URL of the secondary provider. Default: the primary one.',
  },
  OPENAI_MODEL_SECONDARY: {
    section: ai, kind: 'text', default: null,
    description: 'Model of the secondary provider. Default: the primary one.',
  },

  PREVIEW_MAX_TIMEOUT_MS: {
    section: 'Previews', kind: 'integer', default: 120_000, minimum: 1_000, maximum: 900_000,
    description: 'The longest buildPreview waits for its build before it answers PREVIEW_TIMEOUT, in milliseconds; the build goes on.',
  },
  PREVIEW_SDK_VERSIONS: {
    section: 'Previews', kind: 'list', default: ['0.88.1'], maxItems: 16,
    description: 'SDK sets that workers install by themselves; they take jobs once they have the first. Others are built with where `npm run sdk:install` has installed them.',
  },
  PREVIEW_SIGNING_KEY: {
    section: 'Previews', kind: 'secret', default: null, minLength: 100,
    description: 'RSA private key (PEM) that signs the manifests of previews for clients that ask for it. Best as PREVIEW_SIGNING_KEY_FILE.',
  },
  PREVIEW_SIGNING_KEY_ID: {
    section: 'Previews', kind: 'text', default: 'main',
    description: 'What clients know the certificate of PREVIEW_SIGNING_KEY by (keyid).',
  },
  PREVIEW_DEV_SERVERS: {
    section: 'Previews', kind: 'switch', default: 'outside production',
    description: 'Whether a preview session may name a development server on its owner\'s own network. Only the owner sees the address; it is never fetched.',
  },
  WORKER_CLASS: {
    section: 'Workers', kind: 'choice', choices: ['cpu', 'gpu'], default: 'cpu',
    description: 'Which class of jobs this worker process takes.',
  },
  WORKER_CONCURRENCY: {
    section: 'Workers', kind: 'integer', default: 2, minimum: 1, maximum: 64,
    description: 'How many jobs this worker process runs at once.',
  },
  SCALING_DRIVER: {
    section: 'Workers', kind: 'choice', choices: ['none', 'process', 'http'], default: 'none',
    description: 'Whom the API asks for more or fewer workers by the scaling rules: nobody, processes of its own on this machine, or SCALING_URL.',
  },
  SCALING_URL: {
    section: 'Workers', kind: 'url', default: null, protocols: ['http:', 'https:'],
    description: 'Where SCALING_DRIVER=http posts each wish as {type, action, from, to, reason}; it is to have `to` workers of the class run.',
  },
  SCALING_TOKEN: {
    section: 'Workers', kind: 'secret', default: null, minLength: 16,
    description: 'Bearer token for SCALING_URL.',
  },
  WORKER_ALLOW_WEAK_SANDBOX: {
    section: 'Workers', kind: 'switch', default: false,
    description: 'Lets a production worker build previews without bubblewrap. Uploaded code then runs behind a weaker wall.',
  },

  OUTGOING_ALLOWED_RANGES: {
    section: 'Webhooks', kind: 'list', default: [], maxItems: 16, example: '10.20.0.0/16,fd12:3456::/48',
    description: 'Private ranges (CIDR) that webhooks may be sent to although they are not public: whoever may make a webhook reaches everything in them. In production best empty.',
  },
  LEMONSQUEEZY_WEBHOOK_SECRET: {
    section: 'Billing', kind: 'secret', default: null, minLength: 6,
    description: 'Checks the signature of billing events. Without it they are refused.',
  },
  METRICS_TOKEN: {
    section: 'Observability', kind: 'secret', default: null, minLength: 16,
    description: 'Bearer token for GET /metrics, which also shows a monitor the details of the deep health check. Without it there are no metrics, and only admins see the details.',
  },
  LOG_LEVEL: {
    section: 'Observability', kind: 'choice', choices: ['debug', 'info', 'warn', 'error', 'silent'], default: 'info',
    description: 'The least severity that is logged.',
  },
  LOG_FILE: {
    section: 'Observability', kind: 'path', default: null,
    description: 'Also writes the log to this file, rotated at 50 MB, five old ones kept.',
  },
} as const satisfies Record<string, Definition>;

export type VariableName = keyof typeof variables;
