/** Tokens of mails are made alike everywhere; this domain's confirm addresses and reset passwords. */
export { hashOfToken, MailedTokens, type MailedTokenPurpose } from '#platform/tokens/mailed-tokens.ts';
