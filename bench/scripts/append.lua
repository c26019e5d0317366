local total = 0
for round = 1, 5 do
  local s = ""
  local i = 0
  while i < 40000 do
    s = s .. "ab"
    i = i + 1
  end
  total = total + #s
end
print(total)
