import type { Secret } from './secret.ts';

/** Which process reads the environment: it decides what a production start cannot do without. */
export type Role = 'api' | 'worker';

interface Common {
  /** One or two sentences for whoever sets it; printed in `.env.example`. */
  readonly description: string;
  /** The heading it stands under in `.env.example`. */
  readonly section: string;
  /** Processes that refuse to start without it when NODE_ENV=production. */
  readonly requiredFor?: readonly Role[];
  /** Shown in `.env.example` where there is no default. */
  readonly example?: string;
}

interface TextKind { readonly kind: 'text'; readonly default: string | null }
interface PathKind { readonly kind: 'path'; readonly default: string | null }
interface UrlKind { readonly kind: 'url'; readonly default: string | null; readonly protocols: readonly string[] }
interface IntegerKind { readonly kind: 'integer'; readonly default: number; readonly minimum: number; readonly maximum: number }
interface SwitchKind { readonly kind: 'switch'; readonly default: boolean | 'outside production' }
interface ChoiceKind<Choice extends string = string> {
  readonly kind: 'choice';
  readonly choices: readonly Choice[];
  readonly default: Choice;
}
interface ListKind { readonly kind: 'list'; readonly default: readonly string[]; readonly maxItems: number }
interface SecretKind { readonly kind: 'secret'; readonly default: null; readonly minLength: number }
/** A secret that is never absent: outside production it is made once and kept under DATA_DIR. */
interface KeptSecretKind {
  readonly kind: 'kept secret';
  /** Accepted length in characters; the made ones are 32 random bytes in base64url (43 characters). */
  readonly minLength: number;
  /** The value must be exactly 32 bytes, in base64, base64url or hex. */
  readonly key?: true;
}

/** One variable of the environment: everything that is known about it, said once. */
export type Definition = Common &
  (TextKind | PathKind | UrlKind | IntegerKind | SwitchKind | ChoiceKind | ListKind | SecretKind | KeptSecretKind);

type OrNull<D, Value> = D extends { readonly default: null } ? Value | null : Value;

/** The type a definition's value has in the typed environment. */
export type ValueOf<D> = D extends { readonly kind: 'integer' } ? number
  : D extends { readonly kind: 'switch' } ? boolean
  : D extends { readonly kind: 'choice'; readonly choices: readonly (infer Choice)[] } ? Choice
  : D extends { readonly kind: 'list' } ? readonly string[]
  : D extends { readonly kind: 'kept secret' } ? Secret
  : D extends { readonly kind: 'secret' } ? Secret | null
  : OrNull<D, string>;

/** `R2_ACCESS_KEY` → `r2AccessKey`: the rule by which a variable's name becomes a property's. */
export type PropertyName<Name extends string> = Name extends `${infer Head}_${infer Tail}`
  ? `${Lowercase<Head>}${Capitalize<PropertyName<Tail>>}`
  : Lowercase<Name>;

/** The same rule at run time. */
export const propertyName = (name: string): string =>
  name.toLowerCase().replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
