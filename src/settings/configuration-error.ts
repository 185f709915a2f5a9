/**
 * A setting that names something that cannot be used; the message says what to do. It stands apart from who throws it, so
 * that its type leads to no database driver.
 */
export class ConfigurationError extends Error {
  override readonly name = 'ConfigurationError';
}
