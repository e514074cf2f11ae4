/**
 * Passwords of twelve characters and more that guessing lists begin with. Lists of the most common passwords hold few
 * that long; most of those are a short one written twice, a walk over the keyboard, or a word with a year behind it,
 * and are known by their shape.
 */
const known = new Set([
  'password1234', 'password12345', 'password123456', 'passwordpassword', 'administrator', 'administrator1', 'changemechangeme',
  'letmeinletmein', 'iloveyouiloveyou', 'qwertyuiopasdf', 'qwertyuiop123', 'qwerty123456', 'qwerty1234567', 'qwertyqwerty', 'asdfghjkl123',
  'zxcvbnm123456', '1q2w3e4r5t6y', '1q2w3e4r5t6y7u', '1qaz2wsx3edc', '1qaz2wsx3edc4rfv', 'q1w2e3r4t5y6', 'zaq12wsxcde3', 'abcd1234abcd',
  'abc123abc123', 'abcdefghijkl', 'abcdefghijklm', 'welcome12345', 'welcomewelcome', 'trustno1trustno1', 'dragondragon', 'monkeymonkey',
  'footballfootball', 'sunshine1234', 'princess1234', 'superman1234', 'liverpool123', 'manchester123', 'chelseachelsea', 'basketball123',
  'unknownunknown', 'passw0rd1234', 'p@ssw0rd1234', 'p@ssword1234', 'pa55word1234', 'correcthorsebatterystaple', 'thisisapassword',
  'mypassword123', 'mypassword1234', 'secretsecret', 'computer1234', 'internet1234', 'michaeljordan', 'alexander123', 'christopher1',
  'christopher123', 'jenniferlopez', 'whateverwhatever', 'starwars1234', 'pokemonpokemon', 'minecraft123', 'hivesynchivesync', 'hivesync1234',
]);

const rows = ['0123456789'.repeat(13), 'abcdefghijklmnopqrstuvwxyz', 'qwertyuiopasdfghjklzxcvbnm', 'qwertzuiopasdfghjklyxcvbnm', 'azertyuiopqsdfghjklmwxcvbn'];

/**
 * Whether a password is among the first that somebody would guess: known, one character or a short piece over and over,
 * a walk along the alphabet, the digits or the keyboard, or the account's own name.
 */
export function isCommonPassword(password: string, account: { email: string; username: string }): boolean {
  const plain = password.toLowerCase();
  if (known.has(plain)) return true;
  if (/^(.{1,4})\1+.{0,3}$/.test(plain)) return true;
  if (/^password.{0,6}$/.test(plain)) return true;
  if (rows.some((row) => row.includes(plain) || [...row].reverse().join('').includes(plain))) return true;
  const own = [account.username, account.email, account.email.split('@', 1)[0] ?? ''].map((name) => name.toLowerCase());
  return own.some((name) => name.length > 2 && (plain === name || plain.startsWith(name) && plain.length - name.length < 5));
}
