local m = { open = 0, won = 0, lost = 0 }
local i = 0
while i < 3000000 do
  m["open"] = m["open"] + 1
  m["lost"] = m["won"] + m["open"]
  i = i + 1
end
print(m["lost"])
