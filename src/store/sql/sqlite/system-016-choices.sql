-- Each choice of a field of several is found by itself: who has a role, without reading everybody.
INSERT INTO register_value (record, field, register, value)
  SELECT r.row, f.key || '.' || e.value, r.register, 'true'
  FROM register_record r, json_each(r.body) f, json_each(f.value) e
  WHERE f.type = 'array' AND e.type = 'text'
  ON CONFLICT (record, field) DO NOTHING;
