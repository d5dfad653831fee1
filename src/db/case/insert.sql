INSERT INTO view_case (id, stream, own, occurred_ms, at_ms, at_n, replica, seq, n, payload, model, predicted, confidence,
  flags, rank, state, due_ms, labels, outcome, language, needs, text, copy)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22, ?23)
