local m = { open = 1, won = 2 }
local count = 2 -- Lua has no size of a table with such keys
local s = "Lovelace, Ada"
local i, hits = 0, 0
while i < 1000000 do
  local name = s:sub(1, 8)
  if name == "Lovelace" then
    hits = hits + #s
  end
  if s:find("Ada", 1, true) - 1 == 10 then
    hits = hits + 1
  end
  if m["won"] ~= nil then
    hits = hits + count
  end
  i = i + 1
end
print(hits)
