/**
 * A key and a token of moq-token, for tests. The secret is the bytes 0 to 31; it protects nothing.
 *
 * @module
 */
export const KEY = {
  alg: "HS256",
  key_ops: ["sign", "verify"],
  kty: "oct",
  kid: "test",
  k: "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8",
};

/** `{"root":"rooms/123","put":["alice"],"get":[""],"exp":4102444800,"iat":1767225600}`. */
export const TOKEN =
  "eyJ0eXAiOiJKV1QiLCJhbGciOiJIUzI1NiIsImtpZCI6InRlc3QifQ.eyJyb290Ijoicm9vbXMvMTIzIiwicHV0IjpbImFsaWNlIl0sImdldCI6WyIiXSwiZXhwIjo0MTAyNDQ0ODAwLCJpYXQiOjE3NjcyMjU2MDB9.OX2KCRDq3OQyxtRGh9h8IDPWbKARTgqLjOKh9OL5E2w";
